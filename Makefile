# What is deployed. `sam build` calls the build-* targets (template.yaml says BuildMethod: makefile);
# `make artefacts PACKAGE_SET=standin RUNTIME=linux-x64` makes the same, as zips, and what tests/Benchmarks starts beside it.
# Native code is linked on a machine of the same kind, or across, by clang with the other kind's gcc and C library beside it.

RUNTIME ?= linux-arm64
PACKAGE_SET ?= official
TOPOLOGY ?= functions/HealthCheck/topology.json

HOST := linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
ifneq ($(RUNTIME),$(HOST))
ARCHITECTURE := $(if $(filter linux-arm64,$(RUNTIME)),aarch64,x86_64)
CROSS := $(ARCHITECTURE)-linux-gnu-
across := -p:CppCompilerAndLinker=clang -p:ObjCopyName=$(CROSS)objcopy
can_link = @for tool in clang $(CROSS)gcc $(CROSS)objdump; do command -v $$tool >/dev/null || { echo "This machine is $(HOST), and has no $$tool: native code for $(RUNTIME) is built on a machine of that kind, or here with clang and $(CROSS)gcc (Debian: clang, gcc-$(subst _,-,$(ARCHITECTURE))-linux-gnu)." >&2; exit 1; }; done
endif

publish = dotnet publish $(1) -c Release -v quiet -p:DeployRuntime=$(RUNTIME) -p:PackageSet=$(PACKAGE_SET) $(across) -o

# What Lambda's runtime provided.al2023 has. A binary that was linked against a newer one does not start there.
GLIBC_MAX := 2.34
define runs_there
@wants=$$($(CROSS)objdump -T "$(1)" | grep -oE 'GLIBC_2[0-9.]+' | sort -Vu | tail -n 1); \
test "$$(printf '%s\nGLIBC_$(GLIBC_MAX)\n' "$$wants" | sort -V | tail -n 1)" = "GLIBC_$(GLIBC_MAX)" || \
{ echo "$(1) wants $$wants, and its runtime has GLIBC_$(GLIBC_MAX): build it on an older system, in a container of Amazon Linux 2023 for one." >&2; exit 1; }
endef

.PHONY: build-ItemApi build-ReplicationAudit build-HealthCheck artefacts zips

# Lambda's own name for a program that brings its runtime along.
build-ItemApi build-ReplicationAudit: build-%:
	$(can_link)
	$(call publish,functions/$*) "$(ARTIFACTS_DIR)"
	mv "$(ARTIFACTS_DIR)/$*" "$(ARTIFACTS_DIR)/bootstrap"
	$(call runs_there,$(ARTIFACTS_DIR)/bootstrap)

build-HealthCheck:
	@test -f "$(TOPOLOGY)" || { echo "There is no $(TOPOLOGY): copy functions/HealthCheck/topology.example.json there and make it yours, or name another with TOPOLOGY=..." >&2; exit 1; }
	$(call publish,functions/HealthCheck) "$(ARTIFACTS_DIR)"
	cp "$(TOPOLOGY)" "$(ARTIFACTS_DIR)/topology.json"

# What `sam build` deploys, as zips for those who deploy otherwise: no time and no order of this machine in them, so that the same source gives the same hash.
TOPOLOGY_OR_EXAMPLE = $(firstword $(wildcard $(TOPOLOGY)) functions/HealthCheck/topology.example.json)
zips:
	rm -rf artifacts/deploy artifacts/zips && mkdir -p artifacts/deploy artifacts/zips
	for function in ItemApi ReplicationAudit HealthCheck; do \
		$(MAKE) --no-print-directory build-$$function ARTIFACTS_DIR="$(CURDIR)/artifacts/deploy/$$function" TOPOLOGY="$(TOPOLOGY_OR_EXAMPLE)" && \
		rm -f artifacts/deploy/$$function/*.dbg artifacts/deploy/$$function/*.pdb && \
		(cd artifacts/deploy/$$function && find . -exec touch -h -d '1980-01-01 00:00:00Z' {} + && find . -type f | LC_ALL=C sort | TZ=UTC zip -X -q -9 ../../zips/$$function-$(RUNTIME).zip -@) || exit 1; \
	done
	cd artifacts/zips && sha256sum *.zip | tee SHA256SUMS

# The zips, and the loop that does nothing, which they are measured beside.
artefacts: zips
	$(call publish,tests/BareLoop) artifacts/deploy/BareLoop
