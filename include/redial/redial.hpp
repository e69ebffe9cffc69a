// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything most programs need. Byte streams are in <redial/client/stream_clients.hpp>, which
// costs more to compile because it gives Asio's own streams.

#include <redial/client/client.hpp>
#include <redial/core/version.hpp>
#include <redial/discovery/discovery.hpp>
#if __has_include(<redial/http/http_client.hpp>)  // unless redial was installed without HTTP
#include <redial/http/http_client.hpp>
#endif
