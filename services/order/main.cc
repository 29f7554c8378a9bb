#include "libs/service/service.h"
#include "services/order/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::order::App>(argc, argv);
}
