#include "services/order/lifecycle.h"

#include "libs/base/macros.h"

namespace bv::order {

void LifecycleSettings::Bind(config::Binder& b) {
  tokens.Bind(b);
  b.Text("payment_adapter.address", payment_address);
  b.Duration("order.process_lease", process_lease, {absl::Seconds(1), absl::Minutes(10)});
  b.Duration("order.recover_interval", recover_interval, {absl::Milliseconds(10), absl::Minutes(10)});
  b.Duration("order.reconcile_interval", reconcile_interval, {absl::Milliseconds(10), absl::Hours(24)});
}

absl::Status Lifecycle::Start() {
  ASSIGN_OR_RETURN(
      tokens_, auth::ServiceTokens::Create("order-service", settings_.tokens, shared_.host.settings().auth));
  // A payment may take as long as the process that makes it has.
  rpc::PeerSettings payments = shared_.peer;
  payments.timeout = settings_.process_lease;
  payments_ = std::make_unique<PaymentsClient>(settings_.payment_address, payments);
  lanes_ =
      std::make_unique<ChangeLanes>("order_change", shared_.connection, shared_.lanes, ExecuteChangeBatch);
  steps_ = std::make_unique<Steps>(shared_.inventory, *payments_);
  processes_ = std::make_unique<Processes>(shared_.host.io(), shared_.pool, *lanes_, *steps_, *tokens_,
                                           settings_.process_lease);
  shared_.host.OnDrain([this](absl::Time deadline) { processes_->Stop(deadline); });
  rpc_ = std::make_unique<LifecycleRpc>(*processes_, *lanes_, shared_.pool, shared_.policy);
  rpc_->Serve(shared_.host.rpc());
  reconciler_.reset(new Reconciler({.pool = shared_.pool,
                                    .lanes = *lanes_,
                                    .processes = *processes_,
                                    .steps = *steps_,
                                    .inventory = shared_.inventory,
                                    .payments = *payments_,
                                    .tokens = *tokens_}));
  peer_events_ = std::make_unique<PeerEvents>(shared_.host.io(), shared_.kafka, shared_.pool, *reconciler_);
  RETURN_IF_ERROR(peer_events_->Start());
  recoverer_ = std::make_unique<Recoverer>(shared_.pool, *processes_);
  recovering_ = std::make_unique<service::Job>(
      shared_.host.io(), "recovery", settings_.recover_interval,
      [this](std::stop_token stop) { return recoverer_->Round(std::move(stop)); });
  recovering_->Start();
  reconciling_ = std::make_unique<service::Job>(
      shared_.host.io(), "reconciliation", settings_.reconcile_interval,
      [this](std::stop_token stop) { return reconciler_->Round(std::move(stop)); });
  reconciling_->Start();
  return absl::OkStatus();
}

void Lifecycle::Stop() {
  if (reconciling_) reconciling_->Stop();
  if (recovering_) recovering_->Stop();
  if (peer_events_) peer_events_->Stop();
  if (processes_) processes_->Stop(absl::InfinitePast());
  if (lanes_) lanes_->Stop();
}

}  // namespace bv::order
