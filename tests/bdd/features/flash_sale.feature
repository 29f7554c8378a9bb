Feature: Flash sale
  For a while something costs less. What is ordered in that time costs less, what is ordered later does not.

  Background:
    Given a shop that sells
      | product | price | stock |
      | stove   | 64.75 | 5     |

  Scenario: The price of the sale holds for the cart and for the order
    Given a flash sale of stoves for 49.90 that runs for an hour
    When Ada puts 2 stoves into her cart
    Then the cart of Ada costs 99.80 USD
    When Ada orders what is in her cart
    Then the order of Ada costs 99.80 USD

  Scenario: An order keeps its price when the sale is over
    Given a flash sale of stoves for 49.90 that runs for 2 seconds
    And Ada has ordered 1 stove
    When the flash sale is over
    And Bob orders 1 stove
    Then the order of Ada costs 49.90 USD
    And the order of Bob costs 64.75 USD
