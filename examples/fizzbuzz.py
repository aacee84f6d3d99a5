"""Python's own control flow on tensors: every condition below is a tensor."""

import sys

import tensorflow as tf


def fizzbuzz(limit):
    count = tf.constant(0)
    limit = tf.convert_to_tensor(limit)
    for number in range(1, limit.numpy() + 1):
        number = tf.constant(number)
        if int(number % 3) == 0 and int(number % 5) == 0:
            print("FizzBuzz")
        elif int(number % 3) == 0:
            print("Fizz")
        elif number % 5 == 0:
            print("Buzz")
        else:
            print(number.numpy())
        count += 1
    return count


print("counted:", int(fizzbuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 15)))
