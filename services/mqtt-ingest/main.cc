#include "libs/service/service.h"
#include "services/mqtt-ingest/app.h"

int main(int argc, char** argv) {
  return bv::service::Run<bv::mqtt_ingest::App>(argc, argv);
}
