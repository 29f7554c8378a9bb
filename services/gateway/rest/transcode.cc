#include "services/gateway/rest/transcode.h"

#include <absl/container/inlined_vector.h>
#include <absl/strings/ascii.h>

#include <memory>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/http/uri.h"
#include "libs/json/json.h"
#include "services/gateway/rest/fields.h"

namespace bv::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Invalid(std::string_view reason, std::string_view message, std::string_view field = {}) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message, field);
}

absl::Status ReadBody(const http::Request& request, const Route& route, Message& message) {
  if (request.body.empty()) return absl::OkStatus();
  switch (route.body) {
    case Body::kNone:
      return Invalid("UNEXPECTED_BODY", "this request takes no body");
    case Body::kWholeRequest:
      return json::Parse(request.body, message);
    case Body::kField:
      break;
  }
  return json::Parse(request.body, *message.GetReflection()->MutableMessage(&message, route.body_field));
}

// A parameter given twice means an element each, or a mistake.
bool MayRepeat(const Message& message, const std::string& name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByCamelcaseName(name);
  return field != nullptr && field->is_repeated();
}

bool IsPathVariable(const Route& route, std::string_view name) {
  return std::ranges::any_of(route.segments, [name](const Segment& segment) {
    return segment.variable != nullptr && segment.variable->json_name() == name;
  });
}

struct Parameter {
  std::string name;
  std::string value;
  // It selects fields of the answer, and is none of the request.
  bool selects_fields = false;
};
using Parameters = absl::InlinedVector<Parameter, 8>;

// The parameters of the query, decoded, in the order in which they are read: a currency before the amounts
// that are in it.
absl::Status DecodeQuery(const http::Request& request, const Route& route, Parameters& parameters) {
  for (std::string_view rest = request.query; !rest.empty();) {
    const std::string_view parameter = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), parameter.size() + 1));
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    Parameter read;
    if (!http::PercentDecode(parameter.substr(0, equals), http::UriPart::kQuery, read.name) ||
        !http::PercentDecode(
            equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1),
            http::UriPart::kQuery, read.value)) {
      return Invalid("MALFORMED_QUERY", "a '%' must be followed by two hexadecimal digits");
    }
    read.selects_fields = route.http_method == "GET" && parameter.substr(0, equals) == kFieldsParameter;
    const bool is_currency = read.name == "currency";
    parameters.insert(is_currency ? parameters.begin() : parameters.end(), std::move(read));
  }
  return absl::OkStatus();
}

absl::Status ReadQuery(const http::Request& request, const Route& route, Message& message) {
  Parameters parameters;
  RETURN_IF_ERROR(DecodeQuery(request, route, parameters));
  absl::InlinedVector<std::string_view, 8> seen;
  for (const auto& [name, value, selects_fields] : parameters) {
    // With the whole request as body, and for what stands in the path, there is no parameter
    // (google/api/http.proto).
    if (route.body == Body::kWholeRequest || IsPathVariable(route, name)) {
      return Invalid("UNKNOWN_FIELD", "is not a known parameter", name);
    }
    if (std::ranges::find(seen, name) != seen.end() && !MayRepeat(message, name)) {
      return Invalid("DUPLICATE_FIELD", "is given twice", name);
    }
    if (!selects_fields) RETURN_IF_ERROR(json::SetFromText(name, value, message));
    seen.push_back(name);
  }
  return absl::OkStatus();
}

// The path wins over the body, which may repeat its value but not contradict it.
absl::Status SetPathVariable(const FieldDescriptor& field, std::string_view text, Message& message) {
  const auto& reflection = *message.GetReflection();
  if (!reflection.HasField(message, &field)) return json::SetFromText(field.json_name(), text, message);
  // Each alone in a message, values of any type can be compared.
  const std::unique_ptr<Message> of_path(message.New());
  const std::unique_ptr<Message> of_body(message.New());
  RETURN_IF_ERROR(json::SetFromText(field.json_name(), text, *of_path));
  reflection.SwapFields(&message, of_body.get(), {&field});
  if (of_path->SerializeAsString() == of_body->SerializeAsString())
    return json::SetFromText(field.json_name(), text, message);
  return Invalid("INVALID_VALUE", "differs from the path", field.json_name());
}

absl::Status ReadPath(const Match& match, Message& message) {
  std::size_t next = 0;
  std::string text;
  for (const Segment& segment : match.route->segments) {
    if (segment.variable == nullptr) continue;
    if (!http::PercentDecode(match.variables[next++], http::UriPart::kPath, text)) {
      return Invalid("MALFORMED_PATH", "a '%' must be followed by two hexadecimal digits",
                     segment.variable->json_name());
    }
    RETURN_IF_ERROR(SetPathVariable(*segment.variable, text, message));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsJson(std::string_view content_type) {
  const absl::string_view type =
      absl::StripAsciiWhitespace(Absl(content_type.substr(0, content_type.find(';'))));
  return http::IsSameName(Std(type), "application/json");
}

absl::Status ReadRequest(const http::Request& request, const Match& match, Message& message) {
  RETURN_IF_ERROR(ReadBody(request, *match.route, message));
  RETURN_IF_ERROR(ReadQuery(request, *match.route, message));
  return ReadPath(match, message);
}

absl::Status WriteResponse(const Route& route, const Message& message, http::Response& response) {
  response.status = route.success_status;
  if (!route.location.empty()) {
    std::string location;
    std::string scratch;
    for (const LocationPart& part : route.location) {
      if (part.field == nullptr) {
        location += part.text;
      } else {
        http::AppendPercentEncoded(message.GetReflection()->GetStringReference(message, part.field, &scratch),
                                   location);
      }
    }
    response.AddHeader("Location", location);
  }
  return json::Append(message, response.body);
}

}  // namespace bv::gateway
