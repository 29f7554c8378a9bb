// What a comparison found, as operators are told.
#pragma once

#include <string>

#include "commerce/replay/v1/service.pb.h"
#include "libs/projections/parity.h"

namespace bv::replay {

namespace pb = commerce::replay::v1;

pb::Parity ReportOf(const projections::Projection& projection, const projections::Parity& parity);

// "user_id=usr_1 order_id=ord_1", as the columns are named; a text longer than 200 bytes is cut.
std::string KeyText(const projections::Shape& shape, const projections::RowKey& key);

// The columns of `row` that differ from `other`: "state_version=3 status=PAID". A facet that only one of them
// has is named with all of its columns. "missing" for a row that is not there.
std::string RowText(const projections::Shape& shape, const std::optional<projections::Row>& row,
                    const std::optional<projections::Row>& other);

}  // namespace bv::replay
