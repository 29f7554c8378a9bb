#include "libs/service/service.h"
#include "services/inventory/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::inventory::App>(argc, argv);
}
