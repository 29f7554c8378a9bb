Feature: Checkout
  A customer finds something in the catalogue, puts it into a cart, orders it and pays. While an order waits for its
  payment, what it asks for is held: nobody else can buy it.

  Background:
    Given a shop that sells
      | product | price  | stock |
      | tent    | 249.00 | 5     |
      | stove   | 64.75  | 5     |

  Scenario: From the shelf to the door
    When Ada looks at the tent
    Then it costs 249.00 USD and 5 of it can be bought
    When Ada puts 1 tent into her cart
    And Ada puts 2 stoves into her cart
    Then the cart of Ada costs 378.50 USD
    When Ada orders what is in her cart
    Then the order of Ada costs 378.50 USD
    And the order of Ada is PENDING with its payment PENDING
    And 3 stoves can still be bought
    When Ada pays
    Then the order of Ada is PAID with its payment PAID
    When the shop ships the order of Ada
    Then the order of Ada is FULFILLED and SHIPPED
    And the shop has 4 tents and 3 stoves left

  Scenario: Only one can have the last one
    Given the shop also sells 1 lantern for 30.00
    When Ada orders 1 lantern
    And Bob orders 1 lantern
    Then Ada has an order
    But Bob is refused because of OUT_OF_STOCK in items[0].qty
    And Bob has no order

  Scenario: An order that cannot be filled takes nothing
    When Ada orders 6 tents and 1 stove
    Then Ada is refused because of OUT_OF_STOCK in items[0].qty
    And 5 tents can still be bought
    And 5 stoves can still be bought

  Scenario: Who hears no answer asks again and has ordered once
    When Ada orders 2 stoves under the key first-try
    And Ada orders 2 stoves under the key first-try
    Then both answers tell of the same order
    And the second answer says that it is a repeat
    And 3 stoves can still be bought

  Scenario: A key is for one order
    When Ada orders 2 stoves under the key first-try
    And Ada orders 1 tent under the key first-try
    Then Ada is refused because of IDEMPOTENCY_KEY_REUSED
    And 5 tents can still be bought

  Scenario: Nobody waits for a payment for ever
    When Ada orders 5 tents
    Then Bob orders 1 tent in vain
    When the time to pay for the order of Ada is over
    Then the order of Ada becomes CANCELED
    And 5 tents can be bought again
