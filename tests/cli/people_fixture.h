// A folder with people to train on, and a model trained once for all tests of a suite.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "tests/cli/program.h"

namespace gatewise {

class PeopleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_text(folder_->file("train.csv"), people_csv(1500, 1));
    write_text(folder_->file("test.csv"), people_csv(500, 2));
    write_text(folder_->file("people.toml"), people_toml());
    fitted_ = std::make_unique<Result>(run({"fit", "people.toml", "--json"}, {folder_->path()}));
    ASSERT_EQ(fitted_->code, 0) << fitted_->errors;
  }
  static void TearDownTestSuite() {
    folder_.reset();
    fitted_.reset();
  }

  static Result gatewise(const std::vector<std::string>& arguments) {
    return run(arguments, {folder_->path()});
  }
  static std::string file(const std::string& name) { return folder_->file(name); }

  inline static std::unique_ptr<TemporaryFolder> folder_;
  inline static std::unique_ptr<Result> fitted_;
};

}  // namespace gatewise
