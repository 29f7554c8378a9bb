// What the JSON codec reads it can write, and reads again as the same message.
//
// Input: a byte that chooses the message, then the JSON text.
#include <array>
#include <memory>

#include "commerce/inventory/v1/service.pb.h"
#include "commerce/order/v1/events.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/json/json.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {

using google::protobuf::Message;

void Run(std::string_view input) {
  static const std::array<const Message*, 5> kPrototypes = {
      &commerce::order::v1::CreateOrderRequest::default_instance(),
      &commerce::order::v1::Order::default_instance(),
      &commerce::product::v1::CreateProductRequest::default_instance(),
      &commerce::inventory::v1::AdjustRequest::default_instance(),
      &commerce::order::v1::OrderCreated::default_instance()};
  const Message& prototype = *kPrototypes[Choose(input, kPrototypes.size())];

  const std::unique_ptr<Message> read(prototype.New());
  if (const absl::Status status = json::Parse(input, *read); !status.ok()) return RequireRefusal(status);
  std::string written;
  RequireOk(json::Append(*read, written), "what was read can be written");
  const std::unique_ptr<Message> again(prototype.New());
  RequireOk(json::Parse(written, *again), "what was written can be read");
  std::string written_again;
  RequireOk(json::Append(*again, written_again), "what was read again can be written");
  Require(written == written_again, "the text is the same after another round");
  Require(read->SerializeAsString() == again->SerializeAsString(), "the message is the same after a round");
}

}  // namespace bv::fuzz
