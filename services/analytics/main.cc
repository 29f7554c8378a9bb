#include "libs/service/service.h"
#include "services/analytics/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::analytics::App>(argc, argv);
}
