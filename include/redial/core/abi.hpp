// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the library's names reach the linker.

/// The inline namespace that everything of redial is in. It is part of every symbol, so that two minor
/// versions can live in one process without meeting: a plug-in built with one, its host with another.
/// Nobody writes it: `redial::pool_options` finds it.
#define REDIAL_ABI v0_1

/// Marks what a shared library of redial shows; all else in it is hidden.
#define REDIAL_API __attribute__((visibility("default")))
