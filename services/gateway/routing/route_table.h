// All REST routes, found by method and path.
#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/statusor.h>
#include <google/protobuf/descriptor.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/gateway/routing/route.h"

namespace bv::gateway {

// A contract and the service that serves it.
struct Backend {
  const google::protobuf::FileDescriptor* contract;
  // Lives as long as the table.
  rpc::Peer* peer;
};

struct Match {
  // Null when no route has this path and method.
  const Route* route = nullptr;
  // The path's variable segments in order, percent-encoded; they point into the path.
  absl::InlinedVector<std::string_view, 4> variables;
  // The methods that the path has, when it has not the one asked for; empty when the path is unknown.
  std::string allow;
};

class RouteTable {
 public:
  // A route for every annotated method of the contracts' services. INVALID_ARGUMENT names a method whose
  // annotation cannot be served, or that has the same path as another. Without `idempotency_key_required` no
  // route insists on an Idempotency-Key.
  static absl::StatusOr<RouteTable> Build(const std::vector<Backend>& backends,
                                          bool idempotency_key_required = true);

  // HEAD finds the route of GET.
  Match Find(std::string_view method, std::string_view path) const;
  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  using ByMethod = std::map<std::string, const Route*, std::less<>>;
  // The paths that have come this far.
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> variable;
    // By verb, "" for none.
    std::map<std::string, ByMethod, std::less<>> ends;
  };

  absl::Status Add(std::unique_ptr<Route> route);
  static const ByMethod* Walk(const Node& node, std::string_view rest, Match& match);
  static const ByMethod* End(const Node& node, std::string_view last, std::string_view verb, Match& match);

  Node root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace bv::gateway
