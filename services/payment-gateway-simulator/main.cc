#include "libs/service/service.h"
#include "services/payment-gateway-simulator/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::simulator::App>(argc, argv);
}
