// SPDX-License-Identifier: Apache-2.0
#include "churn/peers/contestant_grpc.hpp"

#include "churn/outstanding.hpp"

#include <fmt/core.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace redial::churn {

namespace {

std::shared_ptr<grpc::ChannelCredentials> credentials(const service_address& where) {
  if (!where.tls) return grpc::InsecureChannelCredentials();
  std::ifstream in(where.ca_file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + where.ca_file);
  grpc::SslCredentialsOptions options;
  options.pem_root_certs.assign(std::istreambuf_iterator<char>(in), {});
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::Channel> channel_to(const service_address& where, grpc_kind kind) {
  grpc::ChannelArguments arguments;
  arguments.SetLoadBalancingPolicyName("round_robin");
  // The harness's other channel is another client.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto port = where.grpc_port;
  if (kind == grpc_kind::aged) {
    port = where.grpc_aged_port;
    const auto cap = std::chrono::duration_cast<std::chrono::milliseconds>(where.ttl_cap);
    arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, static_cast<int>(cap.count()));
  }
  return grpc::CreateCustomChannel(
      fmt::format("dns://{}/{}:{}", where.nameserver, where.host, port),
      credentials(where),
      arguments);
}

std::string text_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const auto& s : slices) text.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return text;
}

struct call {
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;
};

// What gRPC's threads use. A context holds its channel, whose last owner waits for gRPC's threads
// to end: none of them may be that owner, so calls are destroyed here only.
class caller {
 public:
  caller(const service_address& where, grpc_kind kind, std::shared_ptr<outstanding> asked)
      : stub_(channel_to(where, kind)), asked_(std::move(asked)) {}
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;
  ~caller() { end(); }

  void get(const std::string& path, std::uint64_t request, time_point deadline) {
    auto made = std::make_unique<call>();
    auto& c = *made;
    c.context.set_deadline(std::chrono::system_clock::now() + (deadline - clock::now()));
    // It wants a message, and one without slices is none.
    const grpc::Slice nothing;
    c.request = grpc::ByteBuffer(&nothing, 1);
    finished ended;  // destroyed last, unlocked
    {
      const std::lock_guard lock(mutex_);
      ended.swap(finished_);
      active_[request] = std::move(made);
    }
    stub_.UnaryCall(
        &c.context, path, {}, &c.request, &c.response, [this, &c, request](const grpc::Status& s) {
          done(c, request, s);
        });
  }

  void end() {
    finished ended;
    std::unique_lock lock(mutex_);
    // What is cancelled may be done at once, on another thread or on this one; no call goes away
    // meanwhile.
    std::vector<call*> active;
    for (const auto& [request, c] : active_) active.push_back(c.get());
    lock.unlock();
    for (auto* c : active) c->context.TryCancel();
    lock.lock();
    idle_.wait(lock, [this] { return active_.empty(); });
    ended.swap(finished_);
  }

  [[nodiscard]] std::uint64_t connections() const {
    const std::lock_guard lock(mutex_);
    return peers_.size();
  }

 private:
  using finished = std::vector<std::unique_ptr<call>>;

  void done(const call& c, std::uint64_t request, const grpc::Status& status) {
    asked_->answer_from_thread(request,
                               status.ok()
                                   ? answered(200, text_of(c.response))
                                   : failed(fmt::format("gRPC status {}: {}",
                                                        static_cast<int>(status.error_code()),
                                                        status.error_message())));
    const auto& said = c.context.GetServerTrailingMetadata();
    const auto peer = said.find("churn-connection");
    const std::lock_guard lock(mutex_);
    if (peer != said.end()) peers_.emplace(peer->second.data(), peer->second.size());
    const auto here = active_.find(request);
    finished_.push_back(std::move(here->second));
    active_.erase(here);
    if (active_.empty()) idle_.notify_all();
  }

  grpc::GenericStub stub_;
  std::shared_ptr<outstanding> asked_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::unordered_map<std::uint64_t, std::unique_ptr<call>> active_;
  finished finished_;
  std::unordered_set<std::string> peers_;
};

class grpc_contestant final : public contestant {
 public:
  grpc_contestant(const boost::asio::any_io_executor& executor,
                  const service_address& where,
                  grpc_kind kind)
      : id_(kind == grpc_kind::aged ? "grpcaged" : "grpc"),
        asked_(std::make_shared<outstanding>(executor)),
        caller_(where, kind, asked_) {}

  const std::string& id() const noexcept override { return id_; }

  void async_get(std::uint64_t request, time_point deadline, handler done) override {
    asked_->add(request, deadline, std::move(done));
    caller_.get(fmt::format("/{}/{}", id_, request), request, deadline);
  }

  std::uint64_t connections() const override { return caller_.connections(); }

  void close() override {
    caller_.end();
    asked_->close();
  }

 private:
  std::string id_;
  std::shared_ptr<outstanding> asked_;
  caller caller_;
};

}  // namespace

std::unique_ptr<contestant> make_grpc(const boost::asio::any_io_executor& executor,
                                      const service_address& where,
                                      grpc_kind kind) {
  return std::make_unique<grpc_contestant>(executor, where, kind);
}

}  // namespace redial::churn
