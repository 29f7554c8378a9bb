# Who may do what with which object, where the role alone does not say it. A service asks with
#
#   {"action": "order.cancel", "subject": {"id", "role", "tenant"}, "resource": {"type", "id", "tenant", …}}
#
# and gets `decision`: whether, and if not, why not, in words for the caller. The permissions of the roles stand in data.json.
package commerce.authz

# Nothing is allowed that no rule allows: an action that is not known here, a role without permissions, a question that lacks something.
default allow := false

allow if {
	same_tenant
	granted
}

# The state of the order decides the rest, in the order service.
granted if {
	input.action == "order.cancel"
	may("order.cancel.any")
}

granted if {
	input.action == "order.cancel"
	may("order.cancel.own")
	own
	cancelable_by_customer
}

granted if {
	input.action == "order.confirm_payment"
	may("order.confirm_payment")
}

granted if {
	input.action in {"price.override", "price.remove_override"}
	may("price.override")
}

may(permission) if permission in data.permissions[input.subject.role]

same_tenant if {
	input.subject.tenant != ""
	input.subject.tenant == input.resource.tenant
}

own if {
	input.subject.id != ""
	input.subject.id == input.resource.owner
}

# With one that is CANCELED nothing more is done: a repeat gets its first answer.
cancelable_by_customer if input.resource.status in {"PENDING", "CANCELED"}

default reason := "the role may not do this"

reason := "it belongs to another tenant" if not same_tenant

else := "it belongs to somebody else" if {
	cancels_as_customer
	not own
}

else := "a customer cancels an order only while it is PENDING; the shop can cancel this one" if {
	cancels_as_customer
	not cancelable_by_customer
}

cancels_as_customer if {
	input.action == "order.cancel"
	may("order.cancel.own")
}

decision := {"allow": true} if allow

else := {"allow": false, "reason": reason}
