using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;

namespace Failover.ItemApi.Routing;

/// <summary>Answers a request; what it throws is a problem.</summary>
internal delegate Task<Answer> Handler(Request request, CancellationToken cancellationToken);

/// <summary>One method at one address: how it is served, and what is told of it. The API's description is made from these.</summary>
/// <param name="Template">The path, with <c>{id}</c> for a segment that is an id.</param>
internal sealed record Route(string Method, string Template, AccessKind Access, Handler Handler)
{
    /// <summary>The operation's name; unique.</summary>
    public required string Name { get; init; }

    public required string Summary { get; init; }

    /// <summary>Query parameters that it knows; any other is refused. Null: anything is passed over.</summary>
    public IReadOnlyList<Parameter>? Query { get; init; } = [];

    /// <summary>Request headers that it reads.</summary>
    public IReadOnlyList<Parameter> Headers { get; init; } = [];

    /// <summary>The body that it takes.</summary>
    public BodyKind Body { get; init; }

    /// <summary>What it answers when all is well.</summary>
    public required IReadOnlyList<Success> Successes { get; init; }

    /// <summary>The ways in which it can fail, beside those that every route has.</summary>
    public IReadOnlyList<ProblemKind> Problems { get; init; } = [];
}

/// <summary>A parameter of a request, or a header of an answer.</summary>
/// <param name="Schema">Its JSON Schema.</param>
internal sealed record Parameter(string Name, string Meaning, string Schema, string? Example = null, bool IsRequired = false);

/// <summary>What a route takes as its body.</summary>
internal enum BodyKind
{
    None,
    Item,
    MergePatch,
}

/// <summary>An answer when all is well.</summary>
/// <param name="Schema">The name of its schema; null where there is no body.</param>
/// <param name="Example">A JSON text.</param>
internal sealed record Success(int Status, string Meaning, string? Schema = null, string? Example = null)
{
    public IReadOnlyList<Parameter> Headers { get; init; } = [];
}
