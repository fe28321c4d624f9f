// What ThreadSanitizer must be told of trantor: a function queued on an event loop runs after
// everything that its sender did before. The queue in between is lock-free and comes without
// instrumentation, so nothing shows that. The linker puts these functions before trantor's own
// (--wrap, preset tsan); the product does not change.
#include <sanitizer/tsan_interface.h>

#include <functional>
#include <memory>
#include <utility>

namespace trantor {
class EventLoop;
}

namespace {

using Function = std::function<void()>;

// `function`, marked as handed over here, to be received where it runs. The one pointer that the
// closure holds lies inside of std::function: a block of its own would be read before it is
// received.
Function handedOver(Function function) {
  auto* held = new Function(std::move(function));
  __tsan_release(held);
  return [held] {
    __tsan_acquire(held);
    const std::unique_ptr<Function> owner(held);
    (*owner)();
  };
}

}  // namespace

#define QUEUE_MOVED "_ZN7trantor9EventLoop11queueInLoopEOSt8functionIFvvEE"
#define QUEUE_COPIED "_ZN7trantor9EventLoop11queueInLoopERKSt8functionIFvvEE"

void realQueueMoved(trantor::EventLoop*, Function&&) __asm__("__real_" QUEUE_MOVED);
void realQueueCopied(trantor::EventLoop*, const Function&) __asm__("__real_" QUEUE_COPIED);
void queueMoved(trantor::EventLoop*, Function&&) __asm__("__wrap_" QUEUE_MOVED);
void queueCopied(trantor::EventLoop*, const Function&) __asm__("__wrap_" QUEUE_COPIED);

void queueMoved(trantor::EventLoop* loop, Function&& function) {
  realQueueMoved(loop, handedOver(std::move(function)));
}

void queueCopied(trantor::EventLoop* loop, const Function& function) {
  realQueueCopied(loop, handedOver(function));
}
