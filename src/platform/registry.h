// Who serves which role. In process: this node and its roles.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace tipflow {

struct Instance {
  std::string node;
  std::string role;
  std::string address;
  int port = 0;
  std::string version;
};

class Registry {
 public:
  virtual ~Registry() = default;
  virtual void add(const Instance& instance) = 0;
  virtual void removeNode(const std::string& node) = 0;
  [[nodiscard]] virtual std::vector<Instance> instances(const std::string& role) const = 0;
};

class LocalRegistry final : public Registry {
 public:
  void add(const Instance& instance) override {
    const std::lock_guard lock(mutex_);
    instances_.push_back(instance);
  }
  void removeNode(const std::string& node) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(instances_, [&](const Instance& i) { return i.node == node; });
  }
  [[nodiscard]] std::vector<Instance> instances(const std::string& role) const override {
    const std::lock_guard lock(mutex_);
    std::vector<Instance> found;
    for (const auto& instance : instances_) {
      if (instance.role == role) found.push_back(instance);
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Instance> instances_;
};

}  // namespace tipflow
