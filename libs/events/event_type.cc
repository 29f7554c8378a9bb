#include "libs/events/event_type.h"

#include <absl/container/node_hash_map.h>

#include <cstdlib>
#include <mutex>
#include <shared_mutex>

#include "commerce/common/v1/options.pb.h"
#include "libs/telemetry/telemetry.h"

namespace bv::events {
namespace {

// "ecommerce.order.order.created.v1" → "ecommerce.order.order".
std::string TopicOf(const std::string& type) {
  return type.substr(0, type.rfind('.', type.rfind('.') - 1));
}

EventType ReadType(const google::protobuf::Descriptor& payload) {
  const commerce::common::v1::Event& option = payload.options().GetExtension(commerce::common::v1::event);
  const google::protobuf::FieldDescriptor* key = payload.FindFieldByName(option.key());
  if (key == nullptr || key->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    telemetry::Log(telemetry::Level::kError, "not the payload of an event",
                   {{"message", payload.full_name()}});
    std::abort();
  }
  return {.name = option.type(),
          .topic = TopicOf(option.type()),
          .producer = option.producer(),
          .schema_version = option.schema_version(),
          .key = key};
}

class Types {
 public:
  const EventType& Of(const google::protobuf::Descriptor& payload) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto found = types_.find(&payload); found != types_.end()) return found->second;
    }
    const std::lock_guard lock(mutex_);
    return types_.try_emplace(&payload, ReadType(payload)).first->second;
  }

 private:
  std::shared_mutex mutex_;
  absl::node_hash_map<const google::protobuf::Descriptor*, const EventType> types_;
};

}  // namespace

const EventType& TypeOf(const google::protobuf::Descriptor& payload) {
  static Types& types = *new Types;
  return types.Of(payload);
}

}  // namespace bv::events
