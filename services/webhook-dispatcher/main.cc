#include "libs/service/service.h"
#include "services/webhook-dispatcher/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::webhook::App>(argc, argv);
}
