using System.Text.Json;
using System.Text.Json.Serialization;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Compares;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;

namespace Failover.ControlPlane;

/// <summary>How the control plane's records look as JSON. A finding holds items, which nest 32 deep, and twice that in DynamoDB's JSON.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    UseStringEnumConverter = true,
    MaxDepth = 128,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(Register))]
[JsonSerializable(typeof(Ballot))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(JournalEntry))]
[JsonSerializable(typeof(Finding))]
[JsonSerializable(typeof(FindingClosure))]
[JsonSerializable(typeof(JournaledMove))]
[JsonSerializable(typeof(MoveLoss))]
[JsonSerializable(typeof(IReadOnlyList<LostKey>))]
[JsonSerializable(typeof(Comparison))]
[JsonSerializable(typeof(IReadOnlyList<Difference>))]
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
[JsonSerializable(typeof(ServiceEndpoint))]
public sealed partial class TopologyJson : JsonSerializerContext;
