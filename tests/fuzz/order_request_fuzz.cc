// A REST request becomes the order service's draft, or is refused by what the API calls the field.
//
// Input: "<method> <path>?<query>\n<body>", as the gateway's handler has them of an HTTP request.
#include <memory>

#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "services/gateway/rest/transcode.h"
#include "services/gateway/routing/route_table.h"
#include "services/order/rpc/convert.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

using commerce::order::v1::CreateOrderRequest;
using google::protobuf::Message;

const gateway::RouteTable& Routes() {
  static const gateway::RouteTable routes =
      *gateway::RouteTable::Build({{.contract = commerce::order::v1::Order::descriptor()->file()},
                                   {.contract = commerce::product::v1::Product::descriptor()->file()}});
  return routes;
}

std::size_t VariablesOf(const gateway::Route& route) {
  return static_cast<std::size_t>(
      std::ranges::count_if(route.segments, [](const auto& segment) { return segment.variable != nullptr; }));
}

void CheckDraft(const CreateOrderRequest& request) {
  const absl::StatusOr<order::Draft> draft = order::FromProto(request);
  if (!draft.ok()) {
    RequireRefusal(draft.status());
    return Require(!GetErrorDetail(draft.status()).field.empty(), "a refused order names the field");
  }
  for (const order::WantedItem& item : draft->items) Require(item.qty > 0, "quantities are positive");
}

}  // namespace

void Run(std::string_view input) {
  http::Request request;
  request.method = TakeUntil(input, ' ');
  std::string_view target = TakeUntil(input, '\n');
  request.path = TakeUntil(target, '?');
  request.query = target;
  request.body = input;

  const gateway::Match match = Routes().Find(request.method, request.path);
  if (match.route == nullptr) return;
  Require(match.variables.size() == VariablesOf(*match.route), "each variable of the path has its segment");
  const std::unique_ptr<Message> message(match.route->request->New());
  if (const absl::Status status = gateway::ReadRequest(request, match, *message); !status.ok())
    return RequireRefusal(status);
  const std::unique_ptr<Message> received(message->New());
  Require(received->ParseFromString(message->SerializeAsString()),
          "the service can read what the gateway sends");
  if (const auto* order = dynamic_cast<const CreateOrderRequest*>(message.get())) CheckDraft(*order);
}

}  // namespace bv::fuzz
