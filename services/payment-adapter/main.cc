#include "libs/service/service.h"
#include "services/payment-adapter/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::payment::App>(argc, argv);
}
