// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target over files, for compilers without libFuzzer: each argument is a file or a
// folder of files. Ends with 0 when no input broke a promise; without any input that is a failure.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_in(const fs::path& path) {
  if (!fs::is_directory(path)) return {path.string()};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path().string());
  return files;
}

bool replay(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  // Of exactly the right size, on the heap, where AddressSanitizer sees a byte too far.
  const std::vector<char> raw{std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::uint8_t> input(raw.begin(), raw.end());
  std::fprintf(stderr, "%s\n", path.c_str());  // the last one is the culprit
  return LLVMFuzzerTestOneInput(input.data(), input.size()) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::size_t inputs = 0;
    for (int i = 1; i < count; ++i) {
      for (const auto& file : files_in(arguments[i])) {
        if (!replay(file)) return 1;
        ++inputs;
      }
    }
    std::printf("%zu inputs\n", inputs);
    return inputs == 0 ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "thrown: %s\n", e.what());
    return 1;
  }
}
