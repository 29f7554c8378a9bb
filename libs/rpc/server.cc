#include "libs/rpc/server.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/service_type.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>

#include "commerce/common/v1/options.pb.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/pulse.h"
#include "libs/rpc/status.h"
#include "libs/telemetry/telemetry.h"

namespace bv::rpc {
namespace {

namespace common = commerce::common::v1;

// RFC 7230 fields may be longer; nobody needs it here, and they end up in logs and rows.
constexpr std::size_t kHeaderBytesMax = 255;

[[noreturn]] void Fatal(const std::string& message) {
  std::cerr << message << std::endl;
  std::abort();
}

Role RoleOf(common::Role role) {
  switch (role) {
    case common::ROLE_CUSTOMER:
      return Role::kCustomer;
    case common::ROLE_STAFF:
      return Role::kStaff;
    case common::ROLE_ADMIN:
      return Role::kAdmin;
    case common::ROLE_SERVICE:
      return Role::kService;
    case common::ROLE_OPERATOR:
      return Role::kOperator;
    default:
      return Role::kNone;
  }
}

// One value of a metadata key; empty when absent. INVALID_ARGUMENT when it is too long or not printable
// ASCII.
absl::StatusOr<std::string> Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::string();
  const std::string_view value(found->second.data(), found->second.size());
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  if (value.size() > kHeaderBytesMax || !printable) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER",
                 absl::StrCat("must be at most ", kHeaderBytesMax, " printable ASCII characters"), key);
  }
  return std::string(value);
}

std::string_view BearerToken(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find("authorization");
  if (found == metadata.end()) return {};
  std::string_view value(found->second.data(), found->second.size());
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() < kScheme.size() ||
      !absl::EqualsIgnoreCase(Absl(value.substr(0, kScheme.size())), Absl(kScheme)))
    return {};
  return value.substr(kScheme.size());
}

}  // namespace

class MethodInfo {
 public:
  MethodInfo(const google::protobuf::MethodDescriptor& method, boost::asio::io_context& server_io,
             auth::Verifier* server_verifier, const ServerSettings& server_settings,
             std::atomic<int>& running_calls)
      : descriptor(method),
        path(absl::StrCat("/", method.service()->full_name(), "/", method.name())),
        io(server_io),
        verifier(server_verifier),
        settings(server_settings),
        running(running_calls),
        access(method.options().GetExtension(common::access)),
        latency(telemetry::Histogram("grpc_server_handling_seconds", "From a call's arrival to its answer.",
                                     telemetry::LatencySeconds(), {{"method", method.full_name()}})) {
    for (const int role : access.roles()) roles.insert(RoleOf(static_cast<common::Role>(role)));
    callers.insert(access.callers().begin(), access.callers().end());
    for (int code = 0; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
      handled.push_back(
          &telemetry::Counter("grpc_server_handled_total", "Calls answered, by status code.",
                              {{"method", method.full_name()},
                               {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}}));
    }
  }

  // What is public is so within a tenant, and an operator has none.
  bool Admits(Role role) const {
    return roles.contains(role) || (access.public_() && role != Role::kOperator);
  }
  // Of the services, those that the contract names.
  bool AdmitsCaller(Role role, const std::string& subject) const {
    return role != Role::kService || access.public_() || callers.contains(subject);
  }
  // Of those who work for a tenant, whoever was given what the contract asks for.
  bool HasPermission(const RequestContext& context) const {
    return context.role != Role::kStaff || access.permission().empty() ||
           verifier->staff().Allows(context.tenant, context.user_id, access.permission());
  }

  const google::protobuf::MethodDescriptor& descriptor;
  const std::string path;
  boost::asio::io_context& io;
  auth::Verifier* const verifier;
  const ServerSettings& settings;
  std::atomic<int>& running;
  const common::Access& access;
  std::set<Role> roles;
  std::set<std::string> callers;
  prometheus::Histogram& latency;
  std::vector<prometheus::Counter*> handled;
};

boost::asio::io_context& IoOf(const MethodInfo& method) {
  return method.io;
}

// --- One call

CallScope::CallScope(const MethodInfo& method, grpc::CallbackServerContext& server_context)
    : method_(method), server_context_(server_context), start_(absl::Now()) {}

CallScope::~CallScope() {
  if (admitted_) method_.running.fetch_sub(1, std::memory_order_relaxed);
}

absl::Status CallScope::Admit() {
  const auto text = [this](const char* key, std::string& target) -> absl::Status {
    ASSIGN_OR_RETURN(target, Metadata(server_context_, key));
    return absl::OkStatus();
  };
  std::string traceparent;
  RETURN_IF_ERROR(text("traceparent", traceparent));
  span_ = std::make_unique<telemetry::Span>(method_.descriptor.full_name(), telemetry::SpanKind::kServer,
                                            telemetry::ParseTraceparent(traceparent));
  context_.trace = span_->context();
  RETURN_IF_ERROR(text("correlation-id", context_.correlation_id));
  if (context_.correlation_id.empty()) context_.correlation_id = context_.trace.trace_id;
  context_.stop = stop_.get_token();
  const bool has_deadline = server_context_.deadline() != std::chrono::system_clock::time_point::max();
  context_.deadline = has_deadline ? absl::FromChrono(server_context_.deadline())
                                   : start_ + method_.settings.default_deadline;

  std::string tenant;
  RETURN_IF_ERROR(text("x-tenant-id", tenant));
  const std::string_view token = BearerToken(server_context_);
  if (!token.empty()) {
    if (method_.verifier == nullptr) return absl::UnauthenticatedError("this server takes no tokens");
    ASSIGN_OR_RETURN(const auth::Claims claims, method_.verifier->Verify(token));
    if (!tenant.empty() && tenant != claims.tenant.str()) {
      return Error(absl::StatusCode::kPermissionDenied, "TENANT_MISMATCH",
                   "the token belongs to another tenant", "x-tenant-id");
    }
    context_.user_id = claims.user_id;
    context_.tenant = claims.tenant;
    context_.role = claims.role;
    context_.bearer_token = std::string(token);
  } else if (!method_.access.public_()) {
    return Error(absl::StatusCode::kUnauthenticated, "TOKEN_MISSING",
                 "send the header Authorization: Bearer <token>");
  } else {
    ASSIGN_OR_RETURN(context_.tenant, TenantId::Parse(tenant, "x-tenant-id"));
  }
  if (!method_.Admits(context_.role)) {
    return Error(
        absl::StatusCode::kPermissionDenied, "ROLE_NOT_ALLOWED",
        Concat("the role ", auth::RoleName(context_.role), " may not call ", method_.descriptor.name()));
  }
  if (!method_.AdmitsCaller(context_.role, context_.user_id)) {
    return Error(
        absl::StatusCode::kPermissionDenied, "CALLER_NOT_ALLOWED",
        Concat("the contract does not name this service among the callers of ", method_.descriptor.name()));
  }
  if (!method_.HasPermission(context_)) {
    return Error(absl::StatusCode::kPermissionDenied, "PERMISSION_MISSING",
                 Concat("calling ", method_.descriptor.name(), " takes the permission ",
                        method_.access.permission(), ", which you were not given"));
  }
  if (method_.access.idempotency_key() != common::IDEMPOTENCY_KEY_UNSPECIFIED) {
    RETURN_IF_ERROR(text("idempotency-key", context_.idempotency_key));
    if (context_.idempotency_key.empty() && method_.settings.idempotency_key_required &&
        method_.access.idempotency_key() == common::IDEMPOTENCY_KEY_REQUIRED) {
      return Error(absl::StatusCode::kInvalidArgument, "IDEMPOTENCY_KEY_MISSING",
                   "send the header Idempotency-Key", "Idempotency-Key");
    }
  }
  if (method_.running.fetch_add(1, std::memory_order_relaxed) >= method_.settings.calls_max) {
    method_.running.fetch_sub(1, std::memory_order_relaxed);
    return Overloaded("too many calls are being handled");
  }
  admitted_ = true;
  return absl::OkStatus();
}

grpc::Status CallScope::Finish(const absl::Status& status) {
  const absl::Duration took = absl::Now() - start_;
  method_.latency.Observe(absl::ToDoubleSeconds(took));
  const auto code = static_cast<std::size_t>(status.code());
  method_
      .handled[code < method_.handled.size() ? code : static_cast<std::size_t>(absl::StatusCode::kUnknown)]
      ->Increment();
  if (replayed_) server_context_.AddTrailingMetadata(kReplayedMetadata, "true");
  if (span_ != nullptr) {
    if (span_->recorded()) {
      span_->Set("rpc.system", "grpc");
      span_->Set("rpc.grpc.status_code", std::to_string(code));
      span_->Set("tenantId", context_.tenant.str());
      span_->Set("userId", context_.user_id);
    }
    if (!status.ok()) span_->Fail(status);
    span_->End();
  }
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss: {
      // What went wrong inside is for the log; the caller gets the trace id to ask with.
      telemetry::Log(telemetry::Level::kError, context_, "call failed",
                     {{"method", method_.path}, {"error", status}, {"durationMs", took}});
      return ToGrpc(Error(absl::StatusCode::kInternal, "INTERNAL",
                          absl::StrCat("internal error, trace ", context_.trace.trace_id)));
    }
    default:
      if (telemetry::LogEnabled(telemetry::Level::kDebug)) {
        telemetry::Log(telemetry::Level::kDebug, context_, "call",
                       {{"method", method_.path}, {"error", status}, {"durationMs", took}});
      }
      return ToGrpc(status);
  }
}

absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  grpc::ByteBuffer copy(bytes);  // of the references; reading consumes them
  const grpc::Status parsed =
      grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&copy, &request);
  if (parsed.ok()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_REQUEST",
               Concat("the bytes are no ", request.GetTypeName(), "; strings must be UTF-8"));
}

absl::Status SerializeResponse(const google::protobuf::Message& response, grpc::ByteBuffer& bytes) {
  bool own_buffer = false;
  const grpc::Status written =
      grpc::SerializationTraits<google::protobuf::Message>::Serialize(response, &bytes, &own_buffer);
  return written.ok() ? absl::OkStatus() : absl::InternalError(written.error_message());
}

// --- The server

void ServerSettings::Bind(config::Binder& b) {
  b.Text("grpc.address", address);
  b.Integer("grpc.message_bytes_max", message_bytes_max, {1024, 64 << 20});
  b.Integer("grpc.calls_max", calls_max, {1, 1'000'000});
  b.Duration("grpc.default_deadline", default_deadline, {absl::Milliseconds(10), absl::Minutes(10)});
  b.Flag("grpc.idempotency_key_required", idempotency_key_required);
}

// A service whose methods are added one by one, as the generated code's constructors do.
class Server::Registration : public grpc::Service {
 public:
  void Add(const std::string& path, grpc::internal::MethodHandler* handler) {
    // The name has to outlive the server.
    paths_.push_back(std::make_unique<std::string>(path));
    AddMethod(new grpc::internal::RpcServiceMethod(paths_.back()->c_str(),
                                                   grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodCallback(static_cast<int>(paths_.size()) - 1, handler);
  }

 private:
  std::vector<std::unique_ptr<std::string>> paths_;
};

struct Server::Parts {
  ServerSettings settings;
  auth::Verifier* verifier;
  std::atomic<int> running{0};
  std::vector<std::unique_ptr<MethodInfo>> methods;
  std::map<std::string, std::unique_ptr<Registration>> services;
  std::set<std::string> registered;
  std::set<std::string, std::less<>> partly_served;
  std::unique_ptr<grpc::Server> server;
  std::optional<Pulse> pulse;
};

Server::Server(boost::asio::io_context& io, ServerSettings settings, auth::Verifier* verifier)
    : io_(io), parts_(std::make_unique<Parts>()) {
  parts_->settings = std::move(settings);
  parts_->verifier = verifier;
}

Server::~Server() {
  Shutdown(absl::Now());
}

void Server::Register(std::string_view service_full_name, std::string_view method,
                      const google::protobuf::Descriptor& request,
                      const google::protobuf::Descriptor& response,
                      std::function<grpc::internal::MethodHandler*(const MethodInfo&)> make_handler) {
  const std::string name = Concat(service_full_name, ".", method);
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  if (descriptor == nullptr) Fatal("no contract has the method " + name);
  if (descriptor->input_type() != &request || descriptor->output_type() != &response)
    Fatal("the handler of " + name + " has other types than the contract");
  parts_->methods.push_back(
      std::make_unique<MethodInfo>(*descriptor, io_, parts_->verifier, parts_->settings, parts_->running));
  const MethodInfo& info = *parts_->methods.back();
  auto& service = parts_->services[std::string(service_full_name)];
  if (!service) service = std::make_unique<Registration>();
  service->Add(info.path, make_handler(info));
  parts_->registered.insert(name);
}

void Server::ServePartly(std::string_view service_full_name) {
  parts_->partly_served.emplace(service_full_name);
}

absl::Status Server::Start() {
  for (const auto& [name, service] : parts_->services) {
    if (parts_->partly_served.contains(name)) continue;
    const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    for (int i = 0; i < descriptor->method_count(); ++i) {
      if (!parts_->registered.contains(descriptor->method(i)->full_name())) {
        return absl::FailedPreconditionError(
            absl::StrCat(descriptor->method(i)->full_name(), " has no handler"));
      }
    }
  }
  static const bool plugins = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  (void)plugins;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(parts_->settings.address, grpc::InsecureServerCredentials(), &port_);
  builder.SetMaxReceiveMessageSize(parts_->settings.message_bytes_max);
  // Two servers on one port would share its connections silently.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  for (const auto& [name, service] : parts_->services) builder.RegisterService(service.get());
  parts_->server = builder.BuildAndStart();
  if (!parts_->server || port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", parts_->settings.address, " (grpc.address): is it taken?"));
  }
  parts_->pulse.emplace();
  SetServing(false);
  return absl::OkStatus();
}

void Server::SetServing(bool serving) {
  if (!parts_->server) return;
  auto* health = parts_->server->GetHealthCheckService();
  health->SetServingStatus(serving);
  health->SetServingStatus("", serving);
  for (const auto& [name, service] : parts_->services) health->SetServingStatus(name, serving);
}

void Server::Shutdown(absl::Time deadline) {
  if (!parts_->server) return;
  parts_->server->Shutdown(absl::ToChronoTime(deadline));
  parts_->server->Wait();
  parts_->server.reset();
}

}  // namespace bv::rpc
