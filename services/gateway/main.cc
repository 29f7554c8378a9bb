#include "libs/service/service.h"
#include "services/gateway/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::gateway::App>(argc, argv);
}
