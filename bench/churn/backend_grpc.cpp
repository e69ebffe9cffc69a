// SPDX-License-Identifier: Apache-2.0
#include "churn/backend_grpc.hpp"

#include "churn/request_path.hpp"

#include <fmt/core.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace redial::churn {

namespace {

// For calls on a connection that has reached its age; far more than one takes.
constexpr int age_grace_ms = 5000;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<grpc::ServerCredentials> credentials(const backend_options& options) {
  if (options.certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back(
      {read_file(options.private_key), read_file(options.certificate)});
  return grpc::SslServerCredentials(tls);
}

// A number for each peer, `ipv4:127.0.0.1:38222`, that has been seen.
class connection_numbers {
 public:
  explicit connection_numbers(backend_service& service) : service_(service) {}

  std::uint64_t of(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    const auto [entry, fresh] = numbers_.try_emplace(peer, 0);
    if (fresh) entry->second = service_.number_connection();
    return entry->second;
  }

 private:
  backend_service& service_;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> numbers_;
};

// One call. Its methods are called one after the other.
class unary_call final : public grpc::ServerGenericBidiReactor {
 public:
  unary_call(backend_service& service,
             connection_numbers& numbers,
             grpc::GenericCallbackServerContext* context)
      : service_(service), context_(context) {
    const auto name = parse_path(context_->method());
    if (!name) {
      Finish({grpc::StatusCode::UNIMPLEMENTED, "no such method"});
      return;
    }
    contestant_ = name->contestant;
    id_ = name->id;
    connection_ = numbers.of(context_->peer());
    context_->AddTrailingMetadata("churn-connection", std::to_string(connection_));
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "no message"});
      return;
    }
    service_.log(contestant_, id_, connection_);
    if (service_.options().stranger) {
      Finish({grpc::StatusCode::UNIMPLEMENTED, "no such method"});
      return;
    }
    if (service_.how() == manner::unavailable) {
      Finish({grpc::StatusCode::UNAVAILABLE, "told to be unavailable"});
      return;
    }
    pause_.Set(
        std::chrono::system_clock::now() +
            std::chrono::duration_cast<std::chrono::system_clock::duration>(service_.time_for(id_)),
        [this](bool) { respond(); });
  }

  void OnCancel() override {
    if (const auto before = state_.exchange(state::cancelled); before == state::mute) {
      Finish(grpc::Status::CANCELLED);
    }
  }

  void OnDone() override { delete this; }

 private:
  enum class state { busy, mute, cancelled };

  void respond() {
    // Mute until the caller has had enough, which may be so already.
    auto expected = state::busy;
    if (service_.how() == manner::mute && state_.compare_exchange_strong(expected, state::mute)) {
      return;
    }
    const grpc::Slice name(service_.options().name);
    response_ = grpc::ByteBuffer(&name, 1);
    // May be the end of this object.
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  }

  backend_service& service_;
  grpc::GenericCallbackServerContext* context_;
  std::string contestant_;
  std::uint64_t id_ = 0;
  std::uint64_t connection_ = 0;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Alarm pause_;
  std::atomic<state> state_{state::busy};  // a call may be cancelled while it answers
};

}  // namespace

class grpc_backend::service_of_all_methods final : public grpc::CallbackGenericService {
 public:
  explicit service_of_all_methods(backend_service& service)
      : service_(service), numbers_(service) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new unary_call(service_, numbers_, context);
  }

 private:
  backend_service& service_;
  connection_numbers numbers_;
};

grpc_backend::grpc_backend(backend_service& service) {
  const auto& o = service.options();
  if (o.grpc_port != 0) listen(service, o.grpc_port, 0);
  if (o.grpc_aged_port != 0) listen(service, o.grpc_aged_port, o.grpc_max_age_ms);
}

grpc_backend::~grpc_backend() {
  for (auto& s : servers_) s->Shutdown(std::chrono::system_clock::now());
}

void grpc_backend::listen(backend_service& service, std::uint16_t port, std::uint32_t max_age_ms) {
  const auto& options = service.options();
  grpc::ServerBuilder builder;
  // A second backend on the same address is a mistake that has to show.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (max_age_ms != 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(max_age_ms));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, age_grace_ms);
  }
  for (const auto& where : options.listen) {
    const auto colon = where.rfind(':');
    if (colon == where.npos) throw std::invalid_argument("no address and port: " + where);
    builder.AddListeningPort(fmt::format("{}:{}", where.substr(0, colon), port),
                             credentials(options));
  }
  builder.RegisterCallbackGenericService(
      services_.emplace_back(std::make_unique<service_of_all_methods>(service)).get());
  auto server = builder.BuildAndStart();
  if (!server) throw std::runtime_error(fmt::format("gRPC cannot listen on port {}", port));
  servers_.push_back(std::move(server));
}

}  // namespace redial::churn
