package commerce.authz_test

import data.commerce.authz
import data.system.authz as api

order(status) := {"type": "order", "id": "ord_1", "tenant": "demo", "owner": "ada", "status": status}

price := {"type": "price", "id": "MUG", "tenant": "demo"}

subject(id, role) := {"id": id, "role": role, "tenant": "demo"}

ask(action, who, what) := decision if {
	question := {"action": action, "subject": who, "resource": what}
	decision := authz.decision with input as question
}

test_a_customer_cancels_an_own_pending_order if {
	ask("order.cancel", subject("ada", "CUSTOMER"), order("PENDING")).allow
}

test_a_customer_may_repeat_a_cancellation if {
	ask("order.cancel", subject("ada", "CUSTOMER"), order("CANCELED")).allow
}

test_a_customer_cancels_nothing_that_is_paid if {
	every status in ["PAID", "FULFILLED", "pending", "", "ANY"] {
		decision := ask("order.cancel", subject("ada", "CUSTOMER"), order(status))
		decision.allow == false
		contains(decision.reason, "only while it is PENDING")
	}
}

test_a_customer_cancels_nothing_of_somebody_else if {
	decision := ask("order.cancel", subject("bob", "CUSTOMER"), order("PENDING"))
	decision == {"allow": false, "reason": "it belongs to somebody else"}
}

test_nobody_is_not_the_owner_of_what_has_no_owner if {
	what := object.union(order("PENDING"), {"owner": ""})
	not ask("order.cancel", subject("", "CUSTOMER"), what).allow
}

test_the_shop_cancels_every_order_of_its_tenant if {
	every role in ["STAFF", "ADMIN"] {
		every status in ["PENDING", "PAID", "FULFILLED", "CANCELED"] {
			ask("order.cancel", subject("eve", role), order(status)).allow
		}
	}
}

test_nobody_does_anything_in_another_tenant if {
	every role in object.keys(data.permissions) {
		every action in ["order.cancel", "order.confirm_payment", "price.override", "price.remove_override"] {
			who := {"id": "ada", "role": role, "tenant": "other"}
			decision := ask(action, who, order("PENDING"))
			decision == {"allow": false, "reason": "it belongs to another tenant"}
		}
	}
}

test_no_tenant_is_no_tenant if {
	who := {"id": "ada", "role": "ADMIN", "tenant": ""}
	what := object.union(order("PENDING"), {"tenant": ""})
	not ask("order.cancel", who, what).allow
}

test_the_back_office_confirms_payments if {
	every role, expected in {"CUSTOMER": false, "STAFF": true, "ADMIN": true, "SERVICE": false, "OPERATOR": false, "": false} {
		ask("order.confirm_payment", subject("eve", role), order("PENDING")).allow == expected
	}
}

test_only_an_admin_overrides_prices if {
	every action in ["price.override", "price.remove_override"] {
		every role, expected in {"CUSTOMER": false, "STAFF": false, "ADMIN": true, "SERVICE": false, "OPERATOR": false, "": false} {
			ask(action, subject("eve", role), price).allow == expected
		}
	}
}

test_what_is_not_known_is_refused if {
	not ask("order.delete", subject("eve", "ADMIN"), order("PENDING")).allow
	not ask("", subject("eve", "ADMIN"), order("PENDING")).allow
	not ask("order.cancel", subject("eve", "ROOT"), order("PENDING")).allow
	not ask("order.cancel", {}, order("PENDING")).allow
	not ask("order.cancel", subject("ada", "CUSTOMER"), {"tenant": "demo"}).allow
}

test_an_empty_question_is_refused if {
	decision := authz.decision with input as {}
	decision.allow == false
}

test_the_api_gives_decisions_and_nothing_else if {
	api.allow with input as {"method": "POST", "path": ["v1", "data", "commerce", "authz", "decision"]}
	api.allow with input as {"method": "GET", "path": ["health"]}
	every request in [
		{"method": "PUT", "path": ["v1", "policies", "authz.rego"]},
		{"method": "PUT", "path": ["v1", "data", "permissions"]},
		{"method": "PATCH", "path": ["v1", "data"]},
		{"method": "GET", "path": ["v1", "data"]},
		{"method": "POST", "path": ["v1", "query"]},
		{"method": "POST", "path": ["v1", "data", "commerce", "authz"]},
		{"method": "GET", "path": ["v1", "policies"]},
		{"method": "DELETE", "path": ["v1", "policies", "authz.rego"]},
	] {
		not api.allow with input as request
	}
}
