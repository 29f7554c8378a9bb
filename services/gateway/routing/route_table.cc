#include "services/gateway/routing/route_table.h"

#include <google/api/annotations.pb.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {

absl::StatusOr<RouteTable> RouteTable::Build(const std::vector<Backend>& backends,
                                             bool idempotency_key_required) {
  RouteTable table;
  const auto add = [&](const google::protobuf::MethodDescriptor& method, const google::api::HttpRule& rule,
                       rpc::Peer* peer) -> absl::Status {
    ASSIGN_OR_RETURN(Route route, CompileRoute(method, rule, peer));
    if (!idempotency_key_required && route.idempotency_key == commerce::common::v1::IDEMPOTENCY_KEY_REQUIRED)
      route.idempotency_key = commerce::common::v1::IDEMPOTENCY_KEY_OPTIONAL;
    return table.Add(std::make_unique<Route>(std::move(route)));
  };
  for (const Backend& backend : backends) {
    for (int s = 0; s < backend.contract->service_count(); ++s) {
      const auto& service = *backend.contract->service(s);
      for (int m = 0; m < service.method_count(); ++m) {
        const auto& method = *service.method(m);
        if (!method.options().HasExtension(google::api::http)) continue;
        const google::api::HttpRule& rule = method.options().GetExtension(google::api::http);
        RETURN_IF_ERROR(add(method, rule, backend.peer));
        for (const auto& additional : rule.additional_bindings())
          RETURN_IF_ERROR(add(method, additional, backend.peer));
      }
    }
  }
  return table;
}

absl::Status RouteTable::Add(std::unique_ptr<Route> route) {
  Node* node = &root_;
  for (const Segment& segment : route->segments) {
    std::unique_ptr<Node>& next = segment.variable != nullptr ? node->variable : node->literals[segment.text];
    if (next == nullptr) next = std::make_unique<Node>();
    node = next.get();
  }
  const auto [known, is_new] = node->ends[route->verb].try_emplace(route->http_method, route.get());
  if (!is_new) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ROUTE",
                 Concat(route->method->full_name(), " and ", known->second->method->full_name(),
                        " have the same route ", route->name));
  }
  routes_.push_back(std::move(route));
  return absl::OkStatus();
}

Match RouteTable::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (path.empty() || path[0] != '/') return match;
  const ByMethod* methods = Walk(root_, path.substr(1), match);
  if (methods == nullptr) return match;
  auto found = methods->find(method);
  if (found == methods->end() && method == "HEAD") found = methods->find(std::string_view("GET"));
  if (found != methods->end()) {
    match.route = found->second;
    return match;
  }
  for (const auto& [allowed, route] : *methods) {
    match.allow += match.allow.empty() ? allowed : ", " + allowed;
    if (allowed == "GET") match.allow += ", HEAD";
  }
  match.allow += ", OPTIONS";
  return match;
}

const RouteTable::ByMethod* RouteTable::Walk(const Node& node, std::string_view rest, Match& match) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  if (slash == std::string_view::npos) {
    if (const std::size_t colon = segment.rfind(':'); colon != std::string_view::npos) {
      if (const auto* end = End(node, segment.substr(0, colon), segment.substr(colon + 1), match)) return end;
    }
    return End(node, segment, {}, match);
  }
  // A literal goes before a variable, but gives way when the rest of the path fits only the variable.
  if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
    if (const auto* end = Walk(*literal->second, rest.substr(slash + 1), match)) return end;
  }
  if (node.variable == nullptr || segment.empty()) return nullptr;
  match.variables.push_back(segment);
  if (const auto* end = Walk(*node.variable, rest.substr(slash + 1), match)) return end;
  match.variables.pop_back();
  return nullptr;
}

const RouteTable::ByMethod* RouteTable::End(const Node& node, std::string_view last, std::string_view verb,
                                            Match& match) {
  if (const auto literal = node.literals.find(last); literal != node.literals.end()) {
    if (const auto end = literal->second->ends.find(verb); end != literal->second->ends.end())
      return &end->second;
  }
  if (node.variable == nullptr || last.empty()) return nullptr;
  const auto end = node.variable->ends.find(verb);
  if (end == node.variable->ends.end()) return nullptr;
  match.variables.push_back(last);
  return &end->second;
}

}  // namespace bv::gateway
