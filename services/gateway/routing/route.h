// What the contract says about one REST route, read once at start.
#pragma once

#include <absl/status/statusor.h>
#include <google/api/http.pb.h>
#include <google/protobuf/message.h>

#include <set>
#include <string>
#include <vector>

#include "commerce/common/v1/options.pb.h"
#include "libs/base/request_context.h"
#include "libs/rpc/client.h"

namespace bv::gateway {

struct Segment {
  // Of a literal segment the text, of a variable one the request's field.
  std::string text;
  const google::protobuf::FieldDescriptor* variable = nullptr;
};

enum class Body { kNone, kWholeRequest, kField };

// What is refused first when there is too much to do, from the first to the last.
enum class Priority { kList, kRead, kChange, kOrder };
constexpr std::size_t kPriorities = 4;

// A part of `Location`: text, or the value of a field of the response.
struct LocationPart {
  std::string text;
  const google::protobuf::FieldDescriptor* field = nullptr;
};

struct Route {
  // "GET /api/v1/orders/{order_id}"
  std::string name;
  std::string http_method;
  std::vector<Segment> segments;
  // "merge" of "/api/v1/carts:merge".
  std::string verb;
  Body body = Body::kNone;
  const google::protobuf::FieldDescriptor* body_field = nullptr;

  const google::protobuf::MethodDescriptor* method = nullptr;
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* response = nullptr;
  rpc::Peer* peer = nullptr;

  bool is_public = false;
  std::set<Role> roles;
  commerce::common::v1::IdempotencyKey idempotency_key = commerce::common::v1::IDEMPOTENCY_KEY_UNSPECIFIED;
  int success_status = 200;
  std::vector<LocationPart> location;

  Priority priority = Priority::kRead;
  // The int64 `version` of the response and `expected_version` of the request; null where there is none.
  const google::protobuf::FieldDescriptor* version = nullptr;
  const google::protobuf::FieldDescriptor* expected_version = nullptr;
};

// The route of `rule`, which is the annotation of `method` or one of its additional bindings.
// INVALID_ARGUMENT says what of it cannot be served: a pattern other than literals and {field}, a field that
// the messages do not have, …
absl::StatusOr<Route> CompileRoute(const google::protobuf::MethodDescriptor& method,
                                   const google::api::HttpRule& rule, rpc::Peer* peer);

}  // namespace bv::gateway
