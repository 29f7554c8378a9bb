#include "services/mailer/render/order_mail.h"

#include <absl/strings/ascii.h>
#include <absl/time/time.h>

#include <filesystem>
#include <fstream>
#include <kainjow/mustache.hpp>
#include <sstream>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"

namespace bv::mailer {
namespace {

namespace pb = commerce::order::v1;
namespace mustache = kainjow::mustache;

absl::StatusOr<std::string> ReadTemplate(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return InvalidValue("mail.templates_directory", Concat("cannot read ", path.string()));
  if (const mustache::mustache parsed(text.str()); !parsed.is_valid())
    return InvalidValue("mail.templates_directory", Concat(path.string(), ": ", parsed.error_message()));
  return text.str();
}

std::string Decimal(std::int64_t amount, const std::string& currency) {
  return FormatDecimal(amount, std::max(CurrencyDigits(currency), 0));
}

mustache::data ItemsOf(const pb::Order& order) {
  mustache::data items{mustache::data::type::list};
  for (const pb::OrderItem& item : order.items()) {
    mustache::data row;
    row.set("title", item.title());
    row.set("qty", std::to_string(item.qty()));
    row.set("price", Decimal(item.price(), order.currency()));
    items << row;
  }
  return items;
}

mustache::data ShipmentsOf(const pb::Order& order) {
  mustache::data shipments{mustache::data::type::list};
  for (const pb::Shipment& shipment : order.shipments()) {
    mustache::data row;
    row.set("carrier", shipment.carrier());
    row.set("trackingNumber", shipment.tracking_number());
    shipments << row;
  }
  return shipments;
}

mustache::data ViewOf(const pb::Order& order, const Letter& letter) {
  mustache::data view;
  view.set(std::string(Word(letter.kind)), true);
  view.set("orderId", order.order_id());
  view.set("customer", order.shipping_address().name());
  view.set("total", Decimal(order.total_amount(), order.currency()));
  view.set("currency", order.currency());
  view.set("items", ItemsOf(order));
  view.set("shipments", ShipmentsOf(order));
  view.set("refunded", order.payment_status() == pb::PAYMENT_STATUS_REFUNDED);
  if (order.has_hold_expires_at()) {
    view.set("heldUntil", absl::FormatTime("%Y-%m-%d %H:%M UTC", rpc::FromTimestamp(order.hold_expires_at()),
                                           absl::UTCTimeZone()));
  }
  view.set("shop", letter.shop);
  if (!letter.unsubscribe_url.empty()) view.set("unsubscribeUrl", letter.unsubscribe_url);
  return view;
}

std::string AsItIs(const std::string& text) {
  return text;
}

}  // namespace

struct Templates::Set {
  std::string subject;
  std::string text;
  std::string html;

  static absl::StatusOr<std::unique_ptr<const Set>> Load(const std::filesystem::path& directory) {
    auto set = std::make_unique<Set>();
    ASSIGN_OR_RETURN(set->subject, ReadTemplate(directory / "order.subject.txt"));
    ASSIGN_OR_RETURN(set->text, ReadTemplate(directory / "order.txt"));
    ASSIGN_OR_RETURN(set->html, ReadTemplate(directory / "order.html"));
    return std::unique_ptr<const Set>(std::move(set));
  }
};

Templates::Templates() = default;
Templates::~Templates() = default;
Templates::Templates(Templates&&) noexcept = default;
Templates& Templates::operator=(Templates&&) noexcept = default;

absl::StatusOr<Templates> Templates::Load(const std::string& directory) {
  Templates templates;
  ASSIGN_OR_RETURN(templates.common_, Set::Load(directory));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!entry.is_directory()) continue;
    ASSIGN_OR_RETURN(templates.of_tenants_[entry.path().filename().string()], Set::Load(entry.path()));
  }
  return templates;
}

Rendered Templates::Render(const TenantId& tenant, const pb::Order& order, const Letter& letter) const {
  const auto own = of_tenants_.find(tenant.str());
  const Set& set = own == of_tenants_.end() ? *common_ : *own->second;
  const mustache::data view = ViewOf(order, letter);
  // A template keeps state while it renders, so each mail has its own.
  const auto render_text = [&view](const std::string& text) {
    mustache::mustache plain(text);
    plain.set_custom_escape(&AsItIs);
    return plain.render(view);
  };
  Rendered rendered;
  rendered.subject = render_text(set.subject);
  absl::StripAsciiWhitespace(&rendered.subject);
  rendered.text = render_text(set.text);
  rendered.html = mustache::mustache(set.html).render(view);
  return rendered;
}

}  // namespace bv::mailer
