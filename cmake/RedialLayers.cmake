# SPDX-License-Identifier: Apache-2.0
# The layers, lowest first, and what each may include and link. The build and the ctest `layering`
# both read this.
set(REDIAL_LAYERS core ports watch endpoints dns net discovery pool client http metrics)

set(REDIAL_BELOW_core)
set(REDIAL_BELOW_ports core)
set(REDIAL_BELOW_watch core ports)
set(REDIAL_BELOW_endpoints core ports watch)
set(REDIAL_BELOW_dns core ports)
set(REDIAL_BELOW_net core ports)
set(REDIAL_BELOW_discovery core ports watch dns net)
set(REDIAL_BELOW_pool core ports watch endpoints net)
set(REDIAL_BELOW_client core ports watch endpoints dns net discovery pool)
set(REDIAL_BELOW_http ${REDIAL_BELOW_client} client)
# Beside http, and without it.
set(REDIAL_BELOW_metrics ${REDIAL_BELOW_client} client)
# The test kit: a library of its own, beside http.
set(REDIAL_BELOW_testing ${REDIAL_BELOW_client} client)
