// GraphQL: requests that the gateway does not understand and hands on, one by one, to the service that does.
#pragma once

#include <absl/time/time.h>

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/http/pooled_client.h"
#include "libs/http/problem.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

struct ForwardSettings {
  // host:port of the GraphQL service's HTTP.
  std::string address;

  void Bind(config::Binder& b);  // graphql.http_address
};

// Thread safe.
class Forward {
 public:
  static constexpr std::string_view kPath = "/graphql";
  static constexpr std::size_t kBodyBytesMax = 64 << 10;

  // Whoever may read products may ask. INVALID_ARGUMENT for an address that cannot be, and for routes without
  // that of reading a product. `executor` outlives it.
  static absl::StatusOr<std::unique_ptr<Forward>> Create(const ForwardSettings& settings,
                                                         const RouteTable& routes,
                                                         const boost::asio::any_io_executor& executor);

  // Whether the request goes to the service; `match` then has its route and methods.
  bool Find(const http::Request& request, Match& match) const;

  // Answers with what the service says. Returns what is to be answered instead: `problem`, or a status.
  async::Task<absl::Status> Send(const http::Request& request, const std::string& request_id,
                                 const RequestContext& context, http::Response& response,
                                 std::optional<http::Problem>& problem);

 private:
  Forward(const boost::asio::any_io_executor& executor, http::Url url, Route get, Route post);

  // The service only reads, so it may be asked twice.
  http::PooledClient client_;
  const Route get_;
  const Route post_;
};

}  // namespace bv::gateway
