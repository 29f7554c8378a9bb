#include "services/cart/tests/catalogue_server.h"

namespace bv::cart {

namespace product = commerce::product::v1;

CatalogueServer::CatalogueServer() {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

std::string CatalogueServer::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void CatalogueServer::Sell(const std::string& sku, std::int64_t price, const std::string& currency) {
  const std::lock_guard lock(mutex_);
  product::ResolvedVariant& variant = variants_[sku];
  variant.set_outcome(product::ResolvedVariant::OUTCOME_SELLABLE);
  variant.set_product_id("prd_of_" + sku);
  variant.set_variant_id("var_of_" + sku);
  variant.set_sku(sku);
  variant.set_title("Title of " + sku);
  variant.set_price(price);
  variant.set_currency(currency);
}

void CatalogueServer::Archive(const std::string& sku) {
  const std::lock_guard lock(mutex_);
  product::ResolvedVariant& variant = variants_.at(sku);
  variant.set_outcome(product::ResolvedVariant::OUTCOME_NOT_SOLD);
  variant.clear_price();
  variant.clear_currency();
}

void CatalogueServer::Forget(const std::string& sku) {
  const std::lock_guard lock(mutex_);
  variants_.erase(sku);
}

grpc::ServerUnaryReactor* CatalogueServer::ResolveVariants(grpc::CallbackServerContext* context,
                                                           const product::ResolveVariantsRequest* request,
                                                           product::ResolveVariantsResponse* response) {
  {
    const std::lock_guard lock(mutex_);
    for (const product::VariantRef& ref : request->variants()) {
      product::ResolvedVariant* variant = response->add_variants();
      const auto found = variants_.find(ref.sku());
      if (found != variants_.end()) {
        *variant = found->second;
      } else {
        variant->set_outcome(product::ResolvedVariant::OUTCOME_NOT_FOUND);
      }
    }
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace bv::cart
