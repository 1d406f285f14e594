using System.Text.Json;
using System.Text.Json.Serialization;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.ControlPlane;

/// <summary>How the control plane's records look as JSON.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(Register))]
[JsonSerializable(typeof(Ballot))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(JournalEntry))]
public sealed partial class ControlJson : JsonSerializerContext;

/// <summary>A topology file is written by people: an unknown member is a mistake, and comments are welcome.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = true,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(Topology))]
public sealed partial class TopologyJson : JsonSerializerContext;
