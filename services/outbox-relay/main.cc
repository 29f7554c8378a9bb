#include "libs/service/service.h"
#include "services/outbox-relay/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::relay::App>(argc, argv);
}
