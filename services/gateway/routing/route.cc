#include "services/gateway/routing/route.h"

#include <absl/strings/str_split.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

namespace common = commerce::common::v1;
using google::api::HttpRule;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodDescriptor;

absl::Status Unusable(const MethodDescriptor& method, std::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ROUTE",
               Concat(method.full_name(), ": ", problem));
}

struct Pattern {
  std::string_view http_method;
  std::string_view path;
};

Pattern PatternOf(const HttpRule& rule) {
  switch (rule.pattern_case()) {
    case HttpRule::kGet:
      return {"GET", rule.get()};
    case HttpRule::kPut:
      return {"PUT", rule.put()};
    case HttpRule::kPost:
      return {"POST", rule.post()};
    case HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    default:
      return {};
  }
}

// The field that "{order_id}" names; null when `text` has braces and names none.
const FieldDescriptor* FieldIn(std::string_view text, const Descriptor& message) {
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return nullptr;
  return message.FindFieldByName(std::string(text.substr(1, text.size() - 2)));
}

absl::Status CompilePath(const MethodDescriptor& method, std::string_view path, Route& route) {
  if (path.empty() || path[0] != '/') return Unusable(method, "the path must start with '/'");
  if (const std::size_t colon = path.rfind(':');
      colon != std::string_view::npos && path.find('/', colon) == std::string_view::npos) {
    route.verb = path.substr(colon + 1);
    path = path.substr(0, colon);
  }
  for (const absl::string_view part : absl::StrSplit(Absl(path.substr(1)), '/')) {
    Segment segment{.text = std::string(part)};
    if (part.empty() || part.find('*') != absl::string_view::npos) {
      return Unusable(method, Concat("cannot serve the segment \"", segment.text, "\""));
    }
    if (part.find('{') != absl::string_view::npos) {
      segment.variable = FieldIn(segment.text, *method.input_type());
      if (segment.variable == nullptr || segment.variable->is_repeated() ||
          segment.variable->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        return Unusable(method, Concat(segment.text, " must name a scalar field of the request"));
      }
    }
    route.segments.push_back(std::move(segment));
  }
  return absl::OkStatus();
}

absl::Status CompileBody(const MethodDescriptor& method, const std::string& body, Route& route) {
  if (body.empty()) return absl::OkStatus();
  if (body == "*") {
    route.body = Body::kWholeRequest;
    return absl::OkStatus();
  }
  route.body = Body::kField;
  route.body_field = method.input_type()->FindFieldByName(body);
  if (route.body_field == nullptr || route.body_field->is_repeated() ||
      route.body_field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return Unusable(method, Concat("body \"", body, "\" must name a message field of the request"));
  }
  return absl::OkStatus();
}

absl::Status CompileLocation(const MethodDescriptor& method, std::string_view location, Route& route) {
  while (!location.empty()) {
    const std::size_t open = location.find('{');
    if (open != 0) {
      route.location.push_back({.text = std::string(location.substr(0, open))});
      location.remove_prefix(std::min(open, location.size()));
      continue;
    }
    const std::string_view variable = location.substr(0, location.find('}') + 1);
    const FieldDescriptor* field = FieldIn(variable, *method.output_type());
    if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      return Unusable(method,
                      Concat("Location: ", location, " must begin with a string field of the response"));
    }
    route.location.push_back({.field = field});
    location.remove_prefix(variable.size());
  }
  return absl::OkStatus();
}

const FieldDescriptor* VersionIn(const Descriptor& message, const std::string& name) {
  const FieldDescriptor* field = message.FindFieldByName(name);
  return field != nullptr && !field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_INT64
             ? field
             : nullptr;
}

// Orders before catalogue before exports. What is asked page by page, and what is only looked at, can wait.
Priority PriorityOf(const MethodDescriptor& method, std::string_view http_method) {
  const std::string& package = method.file()->package();
  if (package == "commerce.analytics.v1" ||
      method.output_type()->FindFieldByName("next_page_token") != nullptr)
    return Priority::kList;
  if (http_method == "GET") return Priority::kRead;
  const bool is_order =
      package == "commerce.order.v1" || package == "commerce.payment.v1" || package == "commerce.cart.v1";
  return is_order ? Priority::kOrder : Priority::kChange;
}

Role RoleOf(int role) {
  switch (role) {
    case common::ROLE_CUSTOMER:
      return Role::kCustomer;
    case common::ROLE_STAFF:
      return Role::kStaff;
    case common::ROLE_ADMIN:
      return Role::kAdmin;
    case common::ROLE_SERVICE:
      return Role::kService;
    case common::ROLE_OPERATOR:
      return Role::kOperator;
    default:
      return Role::kNone;
  }
}

}  // namespace

absl::StatusOr<Route> CompileRoute(const MethodDescriptor& method, const HttpRule& rule, rpc::Peer* peer) {
  if (method.client_streaming() || method.server_streaming())
    return Unusable(method, "streams have no REST route");
  const Pattern pattern = PatternOf(rule);
  if (pattern.http_method.empty()) return Unusable(method, "the annotation names no method and path");
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  Route route{.name = Concat(pattern.http_method, " ", pattern.path),
              .http_method = std::string(pattern.http_method),
              .method = &method,
              .request = factory->GetPrototype(method.input_type()),
              .response = factory->GetPrototype(method.output_type()),
              .peer = peer};
  RETURN_IF_ERROR(CompilePath(method, pattern.path, route));
  RETURN_IF_ERROR(CompileBody(method, rule.body(), route));

  const common::Access& access = method.options().GetExtension(common::access);
  route.is_public = access.public_();
  for (const int role : access.roles()) route.roles.insert(RoleOf(role));
  route.idempotency_key = access.idempotency_key();
  if (!route.is_public && route.roles.empty())
    return Unusable(method, "the option `access` names nobody who may call");

  const common::Rest& rest = method.options().GetExtension(common::rest);
  if (rest.status() != 0) route.success_status = rest.status();
  RETURN_IF_ERROR(CompileLocation(method, rest.location(), route));

  route.priority = PriorityOf(method, route.http_method);
  route.version = VersionIn(*method.output_type(), "version");
  route.expected_version = VersionIn(*method.input_type(), "expected_version");
  if (method.input_type()->FindFieldByName("fields") != nullptr)
    return Unusable(method, "`fields` is the parameter that selects fields of the answer");
  return route;
}

}  // namespace bv::gateway
