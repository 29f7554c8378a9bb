// Tokens of the fleet's own: consumers and jobs act for a tenant in the role SERVICE.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <memory>
#include <string>

#include "libs/auth/auth.h"
#include "libs/auth/jwk_set.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"

namespace bv::auth {

struct ServiceTokenSettings {
  // A JWK set (RFC 7517) with one private key that has `alg` and `kid`; its public part stands in everybody's
  // auth.jwks_file.
  std::string signing_key_file;

  void Bind(config::Binder& b);  // auth.signing_key_file
};

// Thread safe.
class ServiceTokens {
 public:
  // `service` ("order-service") becomes the token's `sub`; issuer and audience are those of `verified_by`.
  // INVALID_ARGUMENT names what is wrong with the key file.
  static absl::StatusOr<std::unique_ptr<ServiceTokens>> Create(std::string service,
                                                               const ServiceTokenSettings& settings,
                                                               const Settings& verified_by);
  ~ServiceTokens();

  // A context to call other services with, for `tenant`, in the role SERVICE, with a token that lives for
  // some minutes more; `trace` and `correlation_id` of `parent` go on.
  RequestContext ContextFor(const TenantId& tenant, absl::Time deadline, const RequestContext& parent = {});

 private:
  struct Token {
    std::string text;
    absl::Time renew_at;
  };
  ServiceTokens(std::string service, std::string key_id, Key key, std::string issuer, std::string audience);
  std::string TokenFor(const TenantId& tenant, absl::Time now);

  const std::string service_;
  const std::string key_id_;
  const Key key_;
  const std::string issuer_;
  const std::string audience_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Token> tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::auth
