# What is deployed. `sam build` calls the build-* targets (template.yaml says BuildMethod: makefile);
# `make artefacts PACKAGE_SET=standin RUNTIME=linux-x64` makes what tests/Benchmarks starts.
# Native code is linked with gcc on a machine of the same kind: arm64 is built on arm64. (The compiler could link across with clang; that has not been tried.)

RUNTIME ?= linux-arm64
PACKAGE_SET ?= official
TOPOLOGY ?= functions/HealthCheck/topology.json

publish = dotnet publish $(1) -c Release -v quiet -p:DeployRuntime=$(RUNTIME) -p:PackageSet=$(PACKAGE_SET) -o

HOST := linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
native = @test "$(HOST)" = "$(RUNTIME)" || { echo "Native code for $(RUNTIME) is built on such a machine; this one is $(HOST)." >&2; exit 1; }

.PHONY: build-ItemApi build-ReplicationAudit build-HealthCheck artefacts

# Lambda's own name for a program that brings its runtime along.
build-ItemApi build-ReplicationAudit: build-%:
	$(native)
	$(call publish,functions/$*) "$(ARTIFACTS_DIR)"
	mv "$(ARTIFACTS_DIR)/$*" "$(ARTIFACTS_DIR)/bootstrap"

build-HealthCheck:
	@test -f "$(TOPOLOGY)" || { echo "There is no $(TOPOLOGY): copy functions/HealthCheck/topology.example.json there and make it yours, or name another with TOPOLOGY=..." >&2; exit 1; }
	$(call publish,functions/HealthCheck) "$(ARTIFACTS_DIR)"
	cp "$(TOPOLOGY)" "$(ARTIFACTS_DIR)/topology.json"

artefacts:
	$(native)
	for project in functions/ItemApi functions/ReplicationAudit functions/HealthCheck tests/BareLoop; do \
		$(call publish,$$project) "artifacts/deploy/$${project##*/}" || exit 1; \
	done
