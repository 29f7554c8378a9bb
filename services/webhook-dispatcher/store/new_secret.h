#pragma once

#include "services/webhook-dispatcher/domain/secret.h"

namespace bv::webhook {

// From the operating system's generator. Ends the process when there is none: nothing may be signed with
// less.
Secret NewSecret();

}  // namespace bv::webhook
