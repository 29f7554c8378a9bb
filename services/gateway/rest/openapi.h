#pragma once

#include <string_view>

namespace bv::gateway {

// protos/openapi.json; the build makes the definition.
extern const std::string_view kOpenApi;

}  // namespace bv::gateway
