#include "libs/service/service.h"
#include "services/replay/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::replay::App>(argc, argv);
}
