vcpkg_from_github(
    OUT_SOURCE_PATH SOURCE_PATH
    REPO redial-cpp/redial
    REF "v${VERSION}"
    SHA512 0
    HEAD_REF main
)

vcpkg_check_features(
    OUT_FEATURE_OPTIONS FEATURE_OPTIONS
    FEATURES
        http    REDIAL_WITH_HTTP
        metrics REDIAL_WITH_METRICS
        testing REDIAL_WITH_TESTING
        tools   REDIAL_BUILD_TOOLS
)

set(TOOLS_OPTIONS "")
if("tools" IN_LIST FEATURES)
    # Other people's clients, which redial-churn would otherwise take from the system.
    set(TOOLS_OPTIONS -DREDIAL_CHURN_PEERS=OFF)
endif()

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        ${FEATURE_OPTIONS}
        -DREDIAL_BUILD_BENCHMARKS=OFF
        -DREDIAL_BUILD_EXAMPLES=OFF
        -DREDIAL_BUILD_TESTS=OFF
        -DREDIAL_INSTALL=ON
    OPTIONS_RELEASE
        ${TOOLS_OPTIONS}
    OPTIONS_DEBUG
        -DREDIAL_BUILD_TOOLS=OFF
)

vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/redial)
vcpkg_fixup_pkgconfig()

if("tools" IN_LIST FEATURES)
    vcpkg_copy_tools(TOOL_NAMES redial-churn AUTO_CLEAN)
endif()

file(REMOVE_RECURSE
    "${CURRENT_PACKAGES_DIR}/debug/include"
    "${CURRENT_PACKAGES_DIR}/debug/share"
    "${CURRENT_PACKAGES_DIR}/share/doc"
)

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
