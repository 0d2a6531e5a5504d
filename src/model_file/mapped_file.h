// A file as memory, read only, without a copy.
#pragma once

#include <string>
#include <string_view>

namespace gatewise {

// The bytes stay valid when the file is replaced by another, as all of Gatewise's writers do; a file that is
// shortened in place while it is mapped is beyond help. Can be moved; pointers into bytes() stay valid.
class MappedFile {
 public:
  // Throws Error(Data) naming the path and the system's reason.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  const std::string& path() const { return path_; }
  std::string_view bytes() const { return {data_, size_}; }

 private:
  std::string path_;
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace gatewise
