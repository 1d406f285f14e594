using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;
using static Failover.Repository.Tests.Template;

namespace Failover.Repository.Tests;

/// <summary>Alarms and the dashboard: about metrics that are emitted, told to somebody, and explained.</summary>
public partial class AlarmTests
{
    private static readonly string[] Deployed = ["ItemApi", "ReplicationAudit", "HealthCheck"];

    /// <summary>What AWS emits itself, of that which is looked at.</summary>
    private static readonly HashSet<string> OfAws =
    [
        "AWS/Lambda Errors FunctionName", "AWS/Lambda Throttles FunctionName", "AWS/Lambda IteratorAge FunctionName", "AWS/Lambda Duration FunctionName",
        "AWS/SQS ApproximateNumberOfMessagesVisible QueueName", "AWS/DynamoDB ThrottledRequests Operation,TableName",
    ];

    private static readonly HashSet<string> Emitted = [.. Deployed.SelectMany(function => Repo.Files($"functions/{function}", ".cs")).SelectMany(file => MetricsOf(Repo.Read(file)))];

    public static TheoryData<string> Alarms => [.. Resources("AWS::CloudWatch::Alarm").Select(alarm => alarm.Name)];

    [Theory]
    [MemberData(nameof(Alarms))]
    public void An_alarm_is_about_a_metric_that_is_emitted_tells_somebody_and_is_in_the_runbook(string name)
    {
        var alarm = Map(Resources("AWS::CloudWatch::Alarm").Single(alarm => alarm.Name == name).Resource, "Properties");
        var dimensions = ((YamlSequenceNode)alarm.Children["Dimensions"]).Select(dimension => Text((YamlMappingNode)dimension, "Name"));

        AssertEmitted(Text(alarm, "Namespace"), Text(alarm, "MetricName"), dimensions);
        Assert.Contains($"`{name}`", Repo.Read("docs/runbook.md"), StringComparison.Ordinal);
        // A lever is no alarm, though it is made of one.
        Assert.Equal(name != "LeavePrimary", alarm.Children.ContainsKey("AlarmActions"));
        Assert.True(Text(alarm, "AlarmDescription").Length > 20, name);
    }

    [Fact]
    public void The_runbook_explains_no_alarm_that_there_is_not() =>
        Assert.Empty(AlarmName().Matches(Repo.Read("docs/runbook.md")).Select(match => match.Groups[1].Value).Except(Alarms.Select(row => row.Data)));

    [Fact]
    public void The_dashboard_shows_metrics_that_are_emitted_in_widgets_that_do_not_overlap()
    {
        var body = (YamlSequenceNode)Map(Resources("AWS::CloudWatch::Dashboard").Single().Resource, "Properties").Children["DashboardBody"];
        var text = Variable().Replace(((YamlScalarNode)body[0]).Value!, "x");
        using var json = JsonDocument.Parse(text);
        var widgets = json.RootElement.GetProperty("widgets").EnumerateArray().ToList();
        var cells = new HashSet<(int, int)>();
        foreach (var widget in widgets)
        {
            for (var x = Number(widget, "x"); x < Number(widget, "x") + Number(widget, "width"); x++)
            {
                for (var y = Number(widget, "y"); y < Number(widget, "y") + Number(widget, "height"); y++)
                {
                    Assert.True(x < 24 && cells.Add((x, y)), widget.ToString());
                }
            }

            var properties = widget.GetProperty("properties");
            Assert.True(properties.GetProperty("title").GetString()!.Length > 0);
            foreach (var metric in properties.GetProperty("metrics").EnumerateArray())
            {
                if (metric[0].ValueKind == JsonValueKind.Object)
                {
                    var search = Search().Match(metric[0].GetProperty("expression").GetString()!);
                    Assert.True(search.Success, metric.ToString());
                    var schema = search.Groups[1].Value.Split(',');
                    AssertEmitted(schema[0], search.Groups[2].Value, schema[1..]);
                }
                else
                {
                    var parts = metric.EnumerateArray().Where(part => part.ValueKind == JsonValueKind.String).Select(part => part.GetString()!).ToList();
                    AssertEmitted(parts[0], parts[1], parts.Skip(2).Where((_, index) => index % 2 == 0));
                }
            }
        }

        Assert.True(widgets.Count > 10);
    }

    private static void AssertEmitted(string @namespace, string name, IEnumerable<string> dimensions)
    {
        var metric = $"{@namespace} {name} {string.Join(',', dimensions.Order())}";
        Assert.True((@namespace == "Failover" ? Emitted : OfAws).Contains(metric), $"{metric} is not emitted; these are:\n{string.Join('\n', Emitted.Order())}");
    }

    /// <summary>The metrics that a source file emits, each with its dimensions.</summary>
    private static IEnumerable<string> MetricsOf(string source)
    {
        foreach (Match emit in Emit().Matches(source))
        {
            var dimensions = string.Join(',', Dimension().Matches(emit.Groups[1].Value).Select(match => match.Groups[1].Value).Order());
            foreach (Match metric in New().Matches(emit.Groups[2].Value))
            {
                string[] names = metric.Groups[1].Success ? [metric.Groups[1].Value] : Enum.GetNames<ControlPlane.FindingKind>();
                foreach (var name in names)
                {
                    yield return $"Failover {name} {dimensions}";
                }
            }
        }

        // The item API writes its own lines.
        foreach (Match set in OwnDimensions().Matches(source))
        {
            var dimensions = string.Join(',', Quoted().Matches(set.Groups[1].Value).Select(match => match.Groups[1].Value).Order());
            foreach (Match metric in OwnMetric().Matches(source))
            {
                yield return $"Failover {metric.Groups[1].Value} {dimensions}";
            }
        }
    }

    private static int Number(JsonElement widget, string name) => widget.GetProperty(name).GetInt32();

    [GeneratedRegex(@"\$\{[A-Za-z:]+\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^SEARCH\('\{([^}]+)\} MetricName=""(\w+)""', '[A-Za-z0-9.]+', \d+\)$")]
    private static partial Regex Search();

    [GeneratedRegex("`(\\w+Alarm)`")]
    private static partial Regex AlarmName();

    [GeneratedRegex(@"\.Emit\(\s*\[(.*?)\],(.*?)\);", RegexOptions.Singleline)]
    private static partial Regex Emit();

    [GeneratedRegex("\\(\"(\\w+)\",")]
    private static partial Regex Dimension();

    [GeneratedRegex("new Metric\\((?:\"(\\w+)\"|finding\\.Kind)")]
    private static partial Regex New();

    [GeneratedRegex(@"Dimensions\(json, (""[^)]*)\);")]
    private static partial Regex OwnDimensions();

    [GeneratedRegex("Metric\\(json, \"(\\w+)\"")]
    private static partial Regex OwnMetric();

    [GeneratedRegex("\"(\\w+)\"")]
    private static partial Regex Quoted();
}
