#include "services/product/store/record.h"

#include "libs/audit/audit.h"
#include "libs/base/macros.h"
#include "services/product/rpc/convert.h"
#include "services/product/rpc/pricing_convert.h"

namespace bv::product {
namespace {

namespace pb = commerce::product::v1;
namespace pricing = commerce::pricing::v1;

// As the API shows them; either may be absent.
template <class Message>
absl::Status Record(postgres::Session& session, const RequestContext& context, audit::Change change,
                    const std::optional<Message>& before, const std::optional<Message>& after) {
  ASSIGN_OR_RETURN(change.difference, audit::Compare(before ? &*before : nullptr, after ? &*after : nullptr));
  return audit::Record(session, context, change);
}

std::optional<pricing::PriceOverride> Shown(const std::optional<PriceOverride>& override,
                                            const SkuCode& sku) {
  if (!override) return std::nullopt;
  pricing::PriceOverride shown = ToProto(*override);
  shown.set_sku(sku.str());
  return shown;
}

}  // namespace

absl::Status RecordProduct(postgres::Session& session, const RequestContext& context,
                           const std::optional<Product>& before, const Product& after) {
  std::optional<pb::Product> was;
  if (before) was = ToProto(*before);
  const std::optional<pb::Product> is = ToProto(after);
  audit::Change change{.action = before ? "product.updated" : "product.created",
                       .object_type = "product",
                       .object_id = after.id.str()};
  return Record(session, context, std::move(change), was, is);
}

absl::Status RecordOverride(postgres::Session& session, const RequestContext& context, const SkuCode& sku,
                            const std::optional<PriceOverride>& before,
                            const std::optional<PriceOverride>& after) {
  audit::Change change{.action = after ? "price.override_set" : "price.override_removed",
                       .object_type = "price",
                       .object_id = sku.str()};
  return Record(session, context, std::move(change), Shown(before, sku), Shown(after, sku));
}

absl::Status RecordSale(postgres::Session& session, const RequestContext& context,
                        const std::optional<SaleSeen>& before, const SaleSeen& after) {
  std::optional<pricing::FlashSale> was;
  if (before) was = ToProto(*before);
  const std::optional<pricing::FlashSale> is = ToProto(after);
  audit::Change change{.action = before ? "flash_sale.canceled" : "flash_sale.created",
                       .object_type = "flash_sale",
                       .object_id = after.sale.id.str()};
  return Record(session, context, std::move(change), was, is);
}

}  // namespace bv::product
