// Runs the store tests. The MariaDB they share is started by the first that needs it and ended
// here.
#include <gtest/gtest.h>

#include "store/mariadb.h"
#include "store/scratch.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  tipflow::fixture::MariaDb::stop();
  tipflow::fixture::removeScratch();
  return result;
}
