#include "libs/service/service.h"
#include "services/audit-trail/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::audit_trail::App>(argc, argv);
}
