using System.Text.Json;
using Failover.HealthCheck;
using Failover.Hosting;
using Failover.ItemApi;
using Failover.ReplicationAudit;

namespace Failover.Repository.Tests;

/// <summary>The profiles by which a function is started under the debugger give it what it reads, and nothing else.</summary>
public class LaunchSettingsTests
{
    /// <summary>What the SDK and the Lambda runtime read.</summary>
    private static readonly string[] OfOthers = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME"];

    public static TheoryData<string, string> Profiles
    {
        get
        {
            var profiles = new TheoryData<string, string>();
            foreach (var function in TemplateTests.Functions.Select(row => row.Data))
            {
                foreach (var profile in Read(function).EnumerateObject())
                {
                    profiles.Add(function, profile.Name);
                }
            }

            return profiles;
        }
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void A_profile_starts_its_function(string function, string profile)
    {
        var given = Read(function).GetProperty(profile).GetProperty("environmentVariables").EnumerateObject().ToDictionary(variable => variable.Name, variable => variable.Value.GetString());
        var read = new List<string>();
        var settings = new Settings(name =>
        {
            read.Add(name);
            // A user's own topology is not in the repository.
            return name == "TOPOLOGY_FILE" ? Path.Combine(Repo.Root, given[name]!.Replace("topology.json", "topology.example.json", StringComparison.Ordinal)) : given.GetValueOrDefault(name);
        });

        // It throws if a setting is missing or wrong.
        object options = function switch
        {
            "ItemApi" => ItemApiOptions.Read(settings, isLambda: given.ContainsKey("AWS_LAMBDA_FUNCTION_NAME")),
            "ReplicationAudit" => ReplicationAuditOptions.Read(settings),
            _ => HealthCheckOptions.Read(settings),
        };

        Assert.NotNull(options);
        Assert.Empty(given.Keys.Except(read).Except(OfOthers));
        Assert.Equal(profile.Contains("Lambda Test Tool", StringComparison.Ordinal), given.GetValueOrDefault("AWS_LAMBDA_RUNTIME_API")?.EndsWith("/" + function, StringComparison.Ordinal) == true);
        Assert.Equal(profile.Contains("LocalHost", StringComparison.Ordinal), given.ContainsKey("AWS_ENDPOINT_URL"));
    }

    private static JsonElement Read(string function) => JsonDocument.Parse(Repo.Read($"functions/{function}/Properties/launchSettings.json")).RootElement.GetProperty("profiles");
}
