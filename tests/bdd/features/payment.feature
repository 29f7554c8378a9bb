Feature: Payment
  The money and the goods go together: what is not paid is not shipped, and what is given back is paid back.

  Background:
    Given a shop that sells
      | product | price | stock |
      | stove   | 64.75 | 5     |

  Scenario: A card that is declined can be tried again
    Given Ada has ordered 2 stoves
    When the bank declines the card of Ada
    Then the order of Ada is PENDING with its payment FAILED
    And 3 stoves can still be bought
    When Ada pays
    Then the order of Ada is PAID with its payment PAID

  Scenario: Paying twice takes the money once
    Given Ada has ordered 1 stove
    And Ada has paid
    When Ada tries to pay again
    Then Ada is refused because of ORDER_STATE
    And the order of Ada is PAID with its payment PAID
    And the bank has taken the money for the order of Ada 1 time

  Scenario: Changing one's mind before paying
    Given Ada has ordered 2 stoves
    When Ada cancels her order
    Then the order of Ada is CANCELED with its payment PENDING
    And 5 stoves can be bought again

  Scenario: Money back
    Given Ada has ordered 2 stoves
    And Ada has paid
    When Ada cancels her order
    Then Ada is refused
    When the shop cancels the order of Ada
    Then the order of Ada is CANCELED with its payment REFUNDED
    And 5 stoves can be bought again

  Scenario: What is not paid is not shipped
    Given Ada has ordered 1 stove
    When the shop tries to ship the order of Ada
    Then the shop is refused

  Scenario Outline: Other ways to pay
    When Ada orders 1 stove and pays by <way>
    Then the order of Ada is PENDING with its payment <at first>
    When the shop <does first>
    And the shop <does then>
    Then the order of Ada is FULFILLED with its payment PAID

    Examples:
      | way              | at first        | does first                       | does then                        |
      | BANK_TRANSFER    | PENDING         | has the money of the order of Ada | ships the order of Ada           |
      | CASH_ON_DELIVERY | DUE_ON_DELIVERY | ships the order of Ada           | has the money of the order of Ada |
