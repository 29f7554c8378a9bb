// The text of a mail: the order as it is, put into templates (Mustache,
// https://mustache.github.io/mustache.5.html).
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "commerce/order/v1/service.pb.h"
#include "services/mailer/domain/mail.h"

namespace bv::mailer {

struct Rendered {
  std::string subject;
  std::string text;
  std::string html;
};

// What a template is given beside the order.
struct Letter {
  Kind kind = Kind::kOrderPlaced;
  // The sender's name.
  std::string shop;
  // Empty: no link.
  std::string unsubscribe_url;
};

// The templates of a directory: order.subject.txt, order.txt and order.html, and, in a folder of its name,
// those of a tenant that has others. Read once. Thread safe.
class Templates {
 public:
  // INVALID_ARGUMENT names the file that is missing or is no template.
  static absl::StatusOr<Templates> Load(const std::string& directory);
  ~Templates();
  Templates(Templates&&) noexcept;
  Templates& operator=(Templates&&) noexcept;

  Rendered Render(const TenantId& tenant, const commerce::order::v1::Order& order,
                  const Letter& letter) const;

 private:
  struct Set;
  Templates();

  std::unique_ptr<const Set> common_;
  absl::flat_hash_map<std::string, std::unique_ptr<const Set>> of_tenants_;
};

}  // namespace bv::mailer
