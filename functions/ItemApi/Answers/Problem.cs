using System.Globalization;
using System.Text.Json;

namespace Failover.ItemApi.Answers;

/// <summary>A request that failed, as problem+json (RFC 9457) tells it.</summary>
/// <param name="Detail">What is wrong with this request, and how to mend it.</param>
internal sealed record Problem(ProblemKind Kind, string Detail)
{
    /// <summary>Where in the body: a JSON pointer (RFC 6901).</summary>
    public string? Pointer { get; init; }

    /// <summary>The endpoint that has the right to write.</summary>
    public string? Active { get; init; }

    /// <summary>Instead of the kind's own.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Headers that belong to it.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public Answer ToAnswer()
    {
        var answer = Answer.Json(Kind.Status, Write, "application/problem+json");
        return answer with
        {
            Problem = Kind,
            Headers = (RetryAfterSeconds ?? Kind.RetryAfterSeconds) is { } seconds ? [.. Headers, ("Retry-After", seconds.ToString(CultureInfo.InvariantCulture))] : Headers,
        };
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", ProblemKind.TypePrefix + Kind.Slug);
        json.WriteString("title", Kind.Title);
        json.WriteNumber("status", Kind.Status);
        json.WriteString("detail", Detail);
        if (Pointer is not null)
        {
            json.WriteString("pointer", Pointer);
        }

        if (Active is not null)
        {
            json.WriteString("active", Active);
        }

        json.WriteEndObject();
    }
}

/// <summary>Ends the handling of a request with a problem.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Kind.Title)
{
    public ProblemException(ProblemKind kind, string detail)
        : this(new Problem(kind, detail))
    {
    }

    public Problem Problem => problem;
}
